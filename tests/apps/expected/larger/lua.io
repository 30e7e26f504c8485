one
two
popen

nil	exit	4
true	nil	f: No such file or directory	2
true	true
[exit 0]
