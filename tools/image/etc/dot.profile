[ -n "${BASH-}" ] && . ~/.bashrc
