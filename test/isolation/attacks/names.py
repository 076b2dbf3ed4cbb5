### the version of Node
r = "Node" in str(sys._emscripten_info)
### modules of the bridge
import js
r = bool(js)
