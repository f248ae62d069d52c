# SPDX-License-Identifier: Apache-2.0
# tmux inside: a server, a client, two windows, panes.
need tmux
equal "detached" "$(inside 'export TERM=xterm
tmux -L t new-session -d -x 80 -y 24 "echo in-a-pane; exec sh" || exit
tmux -L t send-keys "echo made-\$((20+3))" Enter
i=0; while ! tmux -L t capture-pane -p | grep -q made-23; do
	i=$((i + 1)); [ $i -lt 500 ] || { tmux -L t capture-pane -p; exit 1; }; sleep 0.01; done
tmux -L t split-window -h; tmux -L t new-window; tmux -L t list-windows | wc -l
tmux -L t list-panes -s | wc -l; tmux -L t kill-server; echo $?')" "2
3
0"
echo "set -g assume-paste-time 0" >conf
terminal "$BENTO" run --ro "$PWD/conf:/conf" -- tmux -f /conf -L t <<'END'
expect \[0\]
expect [$#] 
send echo pane-$((40+2))\r
expect pane-42
send \x02c
expect 1:
send exit\r
expect pane-42
send exit\r
expect exited
status 0
END
