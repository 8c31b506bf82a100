#!/usr/bin/env bash
# machine-sched: what probe writes and where; whose file the host's is; what was measured here stays apart from what came with
# schedcast, and nothing of another machine can be measured on this one.
. "$(dirname "$0")/lib.sh"
task=matmul:M=48,N=64,K=32

# probe
expect 0 "$S" machine probe --out -
says out "runner \"local\""
equal "$(ls)" "$(printf 'err\nout')" "files after a probe to standard output"
expect 0 "$S" machine probe --no-kernels --out here.machine
says here.machine "runner \"local\""
equal "$(ls ./*.kernels 2>/dev/null)" "" "tables of a probe without kernels"
expect 1 "$S" machine probe --no-kernels --out no/such.machine
says err "cannot write no/such.machine: folder no:"
export SCHEDCAST_CACHE=$work/cache
expect 0 "$S" machine probe --no-kernels
says cache/host.machine "# written by the probe "
sed -i 1d cache/host.machine
expect 1 "$S" machine probe --no-kernels
says err "it is yours and stays"
sed -i 's/^cores /coers /' cache/host.machine
expect 1 "$S" machine show
says err "cache/host.machine:"

# another machine's name gets no numbers of this one
mkdir data && cp -r "$(dirname "$0")"/../../data/{operators,spaces,machines} data/ && export SCHEDCAST_DATA=$work/data
sed 's/^cpu .*/cpu "Another 9000"/' here.machine >other.machine
sed 's/^cpu .*/cpu "generic here"/' here.machine >data/machines/general.machine
expect 0 "$S" sample $task -n 2 --seed 1 -m ./here.machine
cp out a.sched
expect 1 "$S" measure a.sched --out d.h5 -m ./other.machine
says err "Another 9000"
equal "$(ls d.h5* 2>/dev/null)" "" "the dataset of a machine that this is not"
expect 1 "$S" machine kernels a.sched -m ./other.machine

# a table that came with schedcast is neither written to nor copied
expect 0 "$S" machine kernels a.sched -m general
equal "$(ls data/machines/general.kernels cache/general.kernels 2>/dev/null)" cache/general.kernels "the table"
cp here.machine data/machines/here.machine && mv cache/general.kernels data/machines/here.kernels
expect 0 "$S" machine kernels a.sched -m ./here.machine
says out ", 0 of them new"
equal "$(grep -c '^f' here.kernels)" 0 "shipped facts among those measured here"
finish
