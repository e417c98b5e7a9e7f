// RelabelTemplate: a replacement with $1, ${1}, ${name} and $$, as Go's Regexp.Expand understands it.
//
// Threads: immutable.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gauntlet {

class RelabelTemplate {
 public:
  // `group_names` are those of the expression ([0] is the whole match); a group that it does not have is empty.
  RelabelTemplate(std::string_view text, const std::vector<std::string>& group_names);

  // `captures`: the whole match and the groups.
  std::string Expand(const std::vector<std::string_view>& captures) const;
  // No reference to a group: always the same text.
  bool is_constant() const { return parts_.size() == 1 && parts_[0].groups.empty(); }
  const std::string& constant() const { return parts_[0].literal; }

 private:
  struct Part {
    std::string literal;         // before the groups
    std::vector<size_t> groups;  // the first of these that took part in the match (one name may stand for several)
  };
  void AddReference(std::string_view name, const std::vector<std::string>& group_names);

  std::vector<Part> parts_;  // at least one; the last has no groups when text ends with a literal
};

}  // namespace gauntlet
