#!/bin/bash
# hillock doctor from outside: what it says of nets it should know, its page, its JSON, and the
# sentence for each wrong use.
# usage: doctor.sh HILLOCK
hillock=$1
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
data=glyphs:train=300,test=200

# refuses STATUS TEXT ARGUMENT...: one sentence, and no result.
# number KEY: the first value of a key in the JSON of the last examination.
number()
{
    sed -n "s/^ *\"$1\": \([-0-9.e]*\),*\$/\1/p" out | head -n 1
}

train()
{
    "$hillock" train "$@" --data $data --no-probes >/dev/null 2>&1
}

nets_are_trained()
{
    train mlp:width=32,depth=2 --act elu --epochs 2 --out healthy.st &&
        train mlp:width=32,depth=2 --optimizer adam:lr=1 --schedule step:every=1,factor=1e-5 \
            --batch 300 --epochs 2 --out step.st &&
        train mlp:width=4,depth=6,bias=0 --optimizer sgd:lr=1e-4 --epochs 1 --out born.st &&
        train mlp:width=4,depth=6,bias=0 --optimizer sgd:lr=1e-4 --epochs 1 --from born.st \
            --out again.st &&
        train mlp:depth=0 --epochs 1 --out flat.st
}

a_healthy_net_is_called_healthy()
{
    "$hillock" doctor healthy.st --data $data >out && cat out &&
        grep -q '^All 64 units learn\.$' out && ! grep -q 'Why\|What to do' out
}

the_step_is_named()
{
    "$hillock" doctor step.st --data $data >out && cat out &&
        grep -q '^  fc1: .* never fire: step 1 alone multiplied the norm' out &&
        grep -q -e '--treat redo: ' out && grep -q 'lower rate than that of adam:lr=1' out
}

# The net is rebuilt from its seed; one that began with the weights of a file cannot be.
the_start_is_rebuilt_where_it_can_be()
{
    "$hillock" doctor born.st --data $data >out && grep -q 'before the first step either' out &&
        "$hillock" doctor again.st --data $data >out && ! grep -q 'before the first step' out
}

json_says_the_same()
{
    "$hillock" doctor step.st --data $data --json >out && [ "$(number inputs)" = 300 ] &&
        [ "$(number units)" = 64 ] && [ "$(number ill)" -gt 10 ] && [ "$(number steps)" = 2 ] &&
        [ "$(grep -c '"cause": "\(step\|starved\|readers\)"' out)" -ge "$(number ill)" ] && ! grep -qi nan out
}

tau_moves_the_dormant()
{
    local few
    "$hillock" doctor healthy.st --data $data --json --tau 0.001 >out && few=$(number dormant) &&
        "$hillock" doctor healthy.st --data $data --json --tau 0.999 >out &&
        [ "$few" = 0 ] && [ "$(number dormant)" -gt 5 ]
}

# A net in ruins: nothing is better than a fresh one, and no treatment near it.
a_trial_ranks_starting_over()
{
    "$hillock" train mlp:width=64,depth=3 --data glyphs:train=4000,test=500 --optimizer adam:lr=0.1 --epochs 1 \
        --no-probes --out ruin.st >/dev/null 2>&1
    "$hillock" doctor ruin.st --data glyphs:train=4000,test=500 --try-treatments --seeds 3 --epochs 1 \
        --report trial.html >out 2>err && cat out err && grep -q '^trial: 8 ways, 3 seeds, 1 epoch of 4,000' err &&
        grep -q '^ *1  a fresh net .* better$' out && grep -q 'Better than going on: a fresh net' out &&
        ! grep -q -e '--out ruin-treated.st' out && grep -q '<h2>Trial of treatments</h2>' trial.html
    "$hillock" doctor ruin.st --data glyphs:train=4000,test=500 >out && grep -q 'fresh net may be best' out &&
        grep -q '^ *hillock doctor ruin.st .* --try-treatments$' out
}

a_trial_needs_nothing_dead()
{
    "$hillock" doctor healthy.st --data $data --try-treatments --seeds 3 --epochs 1 --json >out &&
        grep -q '"sentence": ' out && [ "$(grep -c '"way": ' out)" = 2 ]
}

the_page_shows_every_unit()
{
    "$hillock" doctor step.st --data $data --report page.html >out &&
        [ "$(grep -o '<rect class="\(glow\|pale\|night\)" x=' page.html | wc -l)" = 64 ] &&
        [ "$(grep -o '<rect class="night" x=' page.html | wc -l)" = \
          "$(sed -n 's/^\([0-9]*\) of 64 units do.*/\1/p' out)" ] &&
        grep -q '<h2>Why</h2>' page.html && grep -q '300 training images of' page.html && grep -q "default-src 'none'" page.html &&
        ! grep -qi '<script\|nan\|inf[^o]*"' page.html && [ "$(tail -n 1 page.html)" = '</html>' ]
}

# A file's name goes into the page; it stays text.
names_stay_text()
{
    cp step.st '<b onclick=x>.st' &&
        "$hillock" doctor '<b onclick=x>.st' --data $data --report page.html >/dev/null &&
        grep -q '&#60;b onclick=x&#62;' page.html && ! grep -q '<b onclick' page.html
}

threads_change_nothing()
{
    "$hillock" doctor step.st --data $data --json --threads 1 >one &&
        "$hillock" doctor step.st --data $data --json --threads 3 >three && cmp one three
}

echo 'no net' >text.st
head -c 1000 /dev/zero >zeros.st
run nets_are_trained
run a_healthy_net_is_called_healthy
run the_step_is_named
run the_start_is_rebuilt_where_it_can_be
run json_says_the_same
run tau_moves_the_dormant
run a_trial_ranks_starting_over
run a_trial_needs_nothing_dead
run the_page_shows_every_unit
run names_stay_text
run threads_change_nothing
run refuses 2 'the net has no activation: there are no units to examine' "$hillock" doctor flat.st --data $data
run refuses 2 'a net for images of 28 x 28 x 1 in 10 classes; the data have 14 x 14 x 1' "$hillock" \
    doctor step.st --data glyphs:size=14
run refuses 2 'expected FILE' "$hillock" doctor
run refuses 2 'expected a number above 0 and below 1' "$hillock" doctor step.st --tau 1
run refuses 2 'go with --try-treatments' "$hillock" doctor step.st --seeds 3
run refuses 2 'tries all' "$hillock" doctor step.st --try-treatments --treat redo --out x.st
run refuses 3 'cannot open none.st' "$hillock" doctor none.st --data $data
run refuses 3 'text.st: it is a text file, expected safetensors' "$hillock" doctor text.st --data $data
run refuses 3 'zeros.st' "$hillock" doctor zeros.st --data $data
run refuses 3 'nowhere' "$hillock" doctor step.st --data mnist:nowhere
run refuses 4 'nowhere/page.html' "$hillock" doctor step.st --data $data --report nowhere/page.html
result
