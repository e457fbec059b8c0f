// What may follow in a line of the console.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::cli {

struct completion {
  std::string insert; ///< what all candidates have in common behind what is typed; with a blank when there is one
  std::vector<std::string> candidates; ///< whole words, or whole names of actors; to be shown when there are several
};

/// For the line up to the cursor. `actor_names` is called only where a name is wanted: it asks the node.
completion complete(std::string_view line, const std::function<std::vector<std::string>()>& actor_names);

} // namespace epione::cli
