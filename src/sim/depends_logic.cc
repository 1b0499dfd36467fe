#include "sim/depends_logic.h"

#include <cctype>

namespace tiphys::sim {

namespace {

bool is_of_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'; }

class Reader {
 public:
  Reader(std::string_view text, const ResultOf& result_of) : rest_(text), result_of_(result_of) {}

  bool either() {
    bool value = both();
    while (take("||")) {
      const bool right = both();  // read in any case
      value = value || right;
    }
    return value;
  }

 private:
  bool take(std::string_view token) {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::string word() {
    (void)take("");
    std::size_t length = 0;
    while (length < rest_.size() && is_of_name(rest_[length])) ++length;
    std::string text(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return text;
  }

  bool both() {
    bool value = one();
    while (take("&&")) {
      const bool right = one();
      value = value && right;
    }
    return value;
  }

  bool one() {
    if (take("!")) return !one();
    if (take("(")) {
      const bool value = either();
      (void)take(")");
      return value;
    }
    const std::string task = word();
    return take(".") ? result_of_(task, word()) : result_of_(task, "");
  }

  std::string_view rest_;
  const ResultOf& result_of_;
};

}  // namespace

bool is_met(std::string_view depends, const ResultOf& result_of) {
  return depends.empty() || Reader(depends, result_of).either();
}

std::vector<std::string> names_in(std::string_view depends) {
  std::vector<std::string> names;
  (void)is_met(depends, [&](const std::string& task, const std::string&) {
    names.push_back(task);
    return false;
  });
  return names;
}

}  // namespace tiphys::sim
