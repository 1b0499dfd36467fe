#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "spec/schema.h"

namespace tiphys::cli {

namespace {

// The command nearest to a word that is none.
std::string nearest(const CLI::App& app, const std::string& word) {
  std::vector<std::string_view> names;
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return spec::nearest_name(word, names);
}

const CLI::App* command_of(const CLI::App& app, const std::string& word) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return command;
  }
  return nullptr;
}

bool has_commands(const CLI::App& app) {
  return !app.get_subcommands([](const CLI::App*) { return true; }).empty();
}

}  // namespace

std::vector<std::string> normalized(std::vector<std::string> words) {
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  for (std::string& word : words) {
    if (word == "--") break;
    const bool is_short = word.size() >= 3 && word[0] == '-' && word[2] == '=' &&
                          std::isalpha(static_cast<unsigned char>(word[1])) != 0;
    if (is_short) word.erase(2, 1);
  }
  return words;
}

std::optional<std::string> unknown_command(const CLI::App& app,
                                           const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  std::string path = app.get_name();
  for (std::size_t i = 0; i < words.size() && has_commands(*at); ++i) {
    const std::string& word = words[i];
    if (word.starts_with('-')) {
      const CLI::Option* flag = app.get_option_no_throw(word);
      if (flag != nullptr && flag->get_items_expected_max() > 0) ++i;  // its value is no command
      continue;
    }
    const CLI::App* next = command_of(*at, word);
    if (next == nullptr) {
      std::string text = fmt::format("unknown command \"{}\" for \"{}\"", word, path);
      if (const std::string best = nearest(*at, word); !best.empty()) {
        text += fmt::format("\n\nDid you mean this?\n\t{}\n", best);
      }
      return text;
    }
    at = next;
    path += " " + word;
  }
  return std::nullopt;
}

}  // namespace tiphys::cli
