### runtime frame
os_write(frame(82, {"reason": "forged words"}))
crash()
### runtime frame behind an honest one
os_write(frame(5, {"stream": "stdout"}, b"x") + frame(82, {"reason": "forged words"}))
crash()
### runtime frame in two pieces
whole = frame(82, {"reason": "forged words"})
os_write(whole[:7])
os_write(whole[7:])
crash()
### runtime frame under a length that lies
whole = bytearray(frame(82, {"reason": "forged words"}))
os_write(bytes(whole[:4]))
os_write(bytes(whole[4:]))
crash()
