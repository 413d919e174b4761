# null_calls.awk - reads headers, writes a C file with a row for each public function and each pointer
# that it is given: a call with this one NULL and the others valid, and one with all of them NULL.
# A pointer may be NULL where the comment before the declaration says "`name` may be NULL", where the
# function frees, and where it is the callback's own `user`. A struct is given empty: x is NULL in it.
#
# What is valid depends on the type alone: tests/test_null.c defines a_<type> for each.

function trim(s) { gsub(/^[ \t\n]+|[ \t\n]+$/, "", s); return s }

# The parameters of a list into part[1..n], cut at commas outside parentheses.
function split_list(list,    i, c, depth, n) {
    n = 1
    part[1] = ""
    for (i = 1; i <= length(list); i++) {
        c = substr(list, i, 1)
        depth += (c == "(") - (c == ")")
        if (c == "," && depth == 0)
            part[++n] = ""
        else
            part[n] = part[n] c
    }
    return n
}

# Of one parameter: its name, its type, whether it is a pointer.
function describe(p) {
    p = trim(p)
    is_function = p ~ /\(\*/
    is_pointer = is_function || p ~ /[*\[]/
    name = p
    if (is_function) {
        sub(/^[^(]*\(\*/, "", name)
        sub(/\).*/, "", name)
        type = "void *"
    } else {
        sub(/\[.*/, "", name)
        sub(/^.*[ *]/, "", name)
        type = p
        sub(/\[.*/, "", type)
        type = trim(substr(type, 1, length(type) - length(name))) (p ~ /\[/ ? " *" : "")
    }
}

# "const hk_plan_options *" -> a_hk_plan_options, "hk_plan **" -> a_place
function valid(type, name,    t) {
    t = type
    if (is_function)
        return "a_callback"
    if (t ~ /^void \*$/)
        return "NULL"
    if (t ~ /\*.*\*/)
        return "a_place"
    gsub(/const|struct|\*| /, "", t)
    return "a_" t
}

# Numbers are 1, which few functions refuse; structs and enumerations are 0.
function scalar(type) {
    return "(" type "){" (type ~ /^(int|unsigned|double|size_t|u?int[0-9]+_t)$/ ? 1 : 0) "}"
}

# A call with pointer k NULL; 0: all of them, -1: none.
function call(k,    i, list) {
    list = ""
    for (i = 1; i <= n; i++) {
        describe(part[i])
        list = list (i > 1 ? ", " : "")
        if (!is_pointer)
            list = list scalar(type)
        else
            list = list (k == 0 || k == i ? "NULL" : "(void *)" valid(type, name))
    }
    return function_name "(" list ")"
}

function emit(k, what, fails,    body, returns) {
    returns = result ~ /^hk_status$/ ? "STATUS" : result ~ /\*/ ? "POINTER" : "OTHER"
    body = call(k)
    printf "static void call_%d(outcome *o)\n{\n", ++calls
    if (returns == "STATUS")
        printf "    o->status = (int)%s;\n", body
    else if (returns == "POINTER")
        printf "    o->pointer = %s;\n", body
    else
        printf "    (void)o;\n    %s;\n", body
    printf "}\n"
    rows = rows sprintf("    {\"%s\", \"%s\", %s, %d, call_%d},\n", function_name, what, returns, fails, calls)
}

function declaration(d, comment,    open, i, pointers, k, optional, required) {
    open = index(d, "(")
    function_name = trim(substr(d, 1, open - 1))
    result = function_name
    sub(/^.*[ *]/, "", function_name)
    result = trim(substr(result, 1, length(result) - length(function_name)))
    d = trim(substr(d, open + 1))
    sub(/\)$/, "", d)
    n = d == "void" ? 0 : split_list(d)
    pointers = required = 0
    for (i = 1; i <= n; i++) {
        describe(part[i])
        if (!is_pointer)
            continue
        pointers++
        optional[i] = name == "user" || function_name ~ /_(free|clear)$/ || index(comment, "`" name "` may be NULL") > 0
        required += !optional[i]
    }
    for (k = 1; k <= n; k++) {
        describe(part[k])
        if (is_pointer && !optional[k])
            emit(k, name, 1)
        else if (is_pointer && name != "user")
            emit(k, name, 0)
    }
    if (pointers != 1 || n == 0)
        emit(0, pointers ? "everything" : "nothing", required > 0 || function_name ~ /_with$/)
}

/^#ifdef __cplusplus/ { other_language = 1 }
!other_language { text = text $0 "\n" }
/^#(else|endif)/ { other_language = 0 }

END {
    # A comment becomes its number between two marks, so that the one before a declaration is known.
    while (match(text, /\/\*([^*]|\*+[^*\/])*\*+\//)) {
        comments[++n_comments] = substr(text, RSTART, RLENGTH)
        text = substr(text, 1, RSTART - 1) "\001" n_comments "\002" substr(text, RSTART + RLENGTH)
    }
    gsub(/\\\n/, " ", text)
    gsub(/\n[ \t]*#[^\n]*/, "\n", text)
    while (match(text, /\{[^{}]*\}/))
        text = substr(text, 1, RSTART - 1) substr(text, RSTART + RLENGTH)
    n_chunks = split(text, chunk, ";")
    for (c = 1; c <= n_chunks; c++) {
        d = chunk[c]
        comment = ""
        while (match(d, /\001[0-9]*\002/)) {
            comment = comment comments[substr(d, RSTART + 1, RLENGTH - 2)]
            d = substr(d, 1, RSTART - 1) " " substr(d, RSTART + RLENGTH)
        }
        gsub(/[ \t\n]+\*?[ \t]*/, " ", comment)
        gsub(/[ \t\n]+/, " ", d)
        d = trim(d)
        if (d ~ /^typedef|^static|^extern|^HK_/ || d !~ /hk_[a-z0-9_]*\(/)
            continue
        declaration(d, comment)
    }
    printf "static const row rows[] = {\n%s};\n", rows
}
