// The tree of commands and their flags, as the commands see it.
//
// CLI11 reads the command line. It is made of inline functions that each file which includes it
// would compile again (an eighth of the whole build's time), so that only parser.cc and the few
// files that look at a finished tree include it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tiphys::cli {

/// A flag or an argument of a command: a handle, valid as long as the tree. What each function sets
/// is checked when the command line is read; each returns the option itself.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  /// It is an error when it is not given.
  Option required() const;
  /// Each occurrence takes one word, so that an argument may follow it.
  Option one_word_each() const;
  /// It takes one word, though what it fills is a list.
  Option exactly_one() const;
  /// A word may be several values with commas between.
  Option split_at_commas() const;
  /// This environment variable is its value when it is not given.
  Option from_environment(const std::string& variable) const;
  /// Other words than these are errors.
  Option one_of(const std::vector<std::string>& words) const;
  /// Numbers outside are errors.
  Option between(int least, int most) const;
  /// `why_wrong` gives the error's text of a word, or an empty one when the word is right.
  Option checked(const std::function<std::string(const std::string&)>& why_wrong) const;
  /// `body` is called with each word as soon as it was read.
  Option on_word(const std::function<void(const std::string&)>& body) const;

 private:
  CLI::Option* option_;
};

/// A command, or the program: a handle, valid as long as the tree.
///
/// The variables that options fill are the caller's, and must live until the command line was read.
/// Names are CLI11's: `-o,--output` is a flag, `FILE` an argument. A word that is no number for a
/// variable that is one is an error.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  Option add_option(const std::string& names, std::string& value, const std::string& text) const;
  Option add_option(const std::string& names, std::vector<std::string>& values,
                    const std::string& text) const;
  Option add_option(const std::string& names, int& value, const std::string& text) const;
  Option add_option(const std::string& names, double& value, const std::string& text) const;
  Option add_option(const std::string& names, std::size_t& value, const std::string& text) const;
  Option add_option(const std::string& names, std::optional<int>& value,
                    const std::string& text) const;
  Option add_option(const std::string& names, std::optional<std::int64_t>& value,
                    const std::string& text) const;
  Option add_option(const std::string& names, std::optional<std::uint64_t>& value,
                    const std::string& text) const;
  /// A flag without a value, or with `=false`.
  Option add_flag(const std::string& names, bool& value, const std::string& text) const;

  /// A command below this one, which calls `body` when it is chosen. Flags that it does not know
  /// are looked for in this one.
  Command add_command(const std::string& name, const std::string& description,
                      const std::function<void()>& body) const;
  /// A command that only has others below it; called alone it prints its help.
  Command add_group(const std::string& name, const std::string& description) const;
  /// `body` is called when the whole command line was read, before any command's.
  void on_parsed(const std::function<void()>& body) const;

  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string description() const;
  /// Those below it, in their order.
  [[nodiscard]] std::vector<Command> commands() const;
  /// The names of its flags that begin with `--`, without that.
  [[nodiscard]] std::vector<std::string> long_flags() const;

 private:
  CLI::App* app_;
};

}  // namespace tiphys::cli
