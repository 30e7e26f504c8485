b
b c
4
14
24
[exit 0]
