### sqlite destructor to console.log
call_table_slot(FACTS["slot"])
### sqlite destructor to console.error
call_table_slot(FACTS["slot"] + 1)
### sqlite destructor to console.warn
call_table_slot(FACTS["slot"] + 2)
### sqlite destructor to console.trace
call_table_slot(FACTS["slot"] + 3)
### signal handler to console.log
call_as_handler(FACTS["slot"])
### signal handler to console.warn
call_as_handler(FACTS["slot"] + 2)
