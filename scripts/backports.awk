# Derives the backports entry from an apt source file: the entry of the Debian archive's main component for CODENAME, with the
# suite replaced. Same URIs, options, key and components. Both of apt's formats; the output is in the format of the input.
#
# Variables: codename; format ("list" or "sources"); uris: the Debian archive's URIs as apt knows them, separated by spaces, each
# ending in "/"; empty when apt does not know yet, and then an entry is taken whose path ends in "/debian" or whose key is Debian's.
# Prints the first entry that fits, or nothing.

function with_slash(uri) { return uri ~ /\/$/ ? uri : uri "/" }

function is_debian(uri, key,    i, n, known) {
  if (uri ~ /^cdrom:/)
    return 0
  if (uris == "")
    return uri ~ /\/debian\/?$/ || key ~ /debian-archive-keyring/ || uri ~ /^mirror.*debian/
  n = split(uris, known, " ")
  for (i = 1; i <= n; ++i)
    if (with_slash(uri) == known[i])
      return 1
  return 0
}

function has_word(text, word,    i, n, words) {
  n = split(text, words, /[ \t]+/)
  for (i = 1; i <= n; ++i)
    if (words[i] == word)
      return 1
  return 0
}

function any_debian(text, key,    i, n, words) {
  n = split(text, words, /[ \t]+/)
  for (i = 1; i <= n; ++i)
    if (words[i] != "" && is_debian(words[i], key))
      return 1
  return 0
}

# "stable" and "oldstable" name the release as well, and which one only apt knows.
function has_suite(text) {
  return has_word(text, codename) || (uris != "" && (has_word(text, "stable") || has_word(text, "oldstable")))
}

# ---- one entry a line ------------------------------------------------------------------------------------------------
format == "list" && !done {
  line = $0
  sub(/#.*/, "", line)
  if (line !~ /^[ \t]*deb[ \t]/)
    next
  rest = line
  sub(/^[ \t]*deb[ \t]+/, "", rest)
  options = ""
  if (rest ~ /^\[/) {
    match(rest, /^\[[^]]*\][ \t]*/)
    options = substr(rest, 1, RLENGTH)
    rest = substr(rest, RLENGTH + 1)
  }
  sub(/[ \t]+$/, "", rest)
  sub(/[ \t]+$/, "", options)
  n = split(rest, part, /[ \t]+/)
  if (n < 3 || !has_suite(part[2]) || !is_debian(part[1], options))
    next
  components = ""
  for (i = 3; i <= n; ++i)
    components = components " " part[i]
  if (!has_word(components, "main"))
    next
  print "deb " (options == "" ? "" : options " ") part[1] " " codename "-backports" components
  done = 1
}

# ---- stanzas ---------------------------------------------------------------------------------------------------------
function end_of_stanza(    i) {
  if (fields > 0 && !done && tolower(value["enabled"]) != "no" && has_word(value["types"], "deb") &&
      has_suite(value["suites"]) && has_word(value["components"], "main") && any_debian(value["uris"], value["signed-by"])) {
    for (i = 1; i <= fields; ++i) {
      if (name[i] == "types")
        print "Types: deb"
      else if (name[i] == "suites")
        print "Suites: " codename "-backports"
      else if (name[i] != "enabled")
        print text[i]
    }
    done = 1
  }
  fields = 0
  split("", value)
}

format == "sources" {
  if ($0 ~ /^#/)
    next
  if ($0 ~ /^[ \t]*$/) {
    end_of_stanza()
    next
  }
  if ($0 ~ /^[ \t]/) {
    if (fields > 0) {
      text[fields] = text[fields] "\n" $0
      value[name[fields]] = value[name[fields]] " " $0
    }
    next
  }
  colon = index($0, ":")
  ++fields
  name[fields] = tolower(substr($0, 1, colon - 1))
  text[fields] = $0
  value[name[fields]] = substr($0, colon + 1)
  sub(/^[ \t]+/, "", value[name[fields]])
  sub(/[ \t]+$/, "", value[name[fields]])
}

END {
  if (format == "sources")
    end_of_stanza()
}
