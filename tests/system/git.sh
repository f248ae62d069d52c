# SPDX-License-Identifier: Apache-2.0
# git: a repository's life, local clone included.
need git
same 'git config --global user.name N; git config --global user.email e@x
git config --global init.defaultBranch main; git config --global gc.auto 0
export GIT_AUTHOR_DATE="@1000000000 +0000" GIT_COMMITTER_DATE="@1000000000 +0000"
git init -q r && cd r && seq 100 >a && mkdir d && echo b >d/b && ln -s a l
git add . && git commit -qm first && git rev-parse HEAD && git status -s
echo more >>a; git diff --stat; git commit -qam second; git log --oneline
git checkout -qb side HEAD~1; echo s >s; git add s; git commit -qm side
git checkout -q main; git merge -qm merge side; git log --graph --format=%s
cd ..; git clone -q r c; cd c; git log -1 --format=%H; git ls-files; git fsck
echo x >x; git add x; git commit -qm third; git push -q origin HEAD:other
cd ../r; git branch; git show other:x; git gc -q; git fsck; git stash list
git tag v1; git describe other --tags; git archive HEAD | tar t; git blame -s a | tail -1
git rebase -q main other; git log -1 --format=%s; git status -sb'
mkdir share
(cd share && git init -q . && git config user.name N && git config user.email e@x)
qube --rw "$PWD/share:/s" --cwd /s -- sh -c 'git config --global safe.directory "*"
echo made inside >f && git add f && git -c user.name=N -c user.email=e@x commit -qm inside'
equal log "$(git -C share log --format=%s)" inside
