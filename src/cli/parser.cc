#include "cli/parser.h"

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace tiphys::cli {

Option Option::required() const { return Option(option_->required()); }

Option Option::one_word_each() const { return Option(option_->allow_extra_args(false)); }

Option Option::exactly_one() const { return Option(option_->expected(1)); }

Option Option::split_at_commas() const { return Option(option_->delimiter(',')); }

Option Option::from_environment(const std::string& variable) const {
  return Option(option_->envname(variable));
}

Option Option::one_of(const std::vector<std::string>& words) const {
  return Option(option_->check(CLI::IsMember(words)));
}

Option Option::between(int least, int most) const {
  return Option(option_->check(CLI::Range(least, most)));
}

Option Option::checked(const std::function<std::string(const std::string&)>& why_wrong) const {
  return Option(option_->check(why_wrong));
}

Option Option::on_word(const std::function<void(const std::string&)>& body) const {
  return Option(option_->each(body));
}

Option Command::add_option(const std::string& names, std::string& value,
                           const std::string& text) const {
  return Option(app_->add_option(names, value, text));
}

Option Command::add_option(const std::string& names, std::vector<std::string>& values,
                           const std::string& text) const {
  return Option(app_->add_option(names, values, text));
}

Option Command::add_option(const std::string& names, int& value, const std::string& text) const {
  return Option(app_->add_option(names, value, text));
}

Option Command::add_option(const std::string& names, double& value, const std::string& text) const {
  return Option(app_->add_option(names, value, text));
}

Option Command::add_option(const std::string& names, std::size_t& value,
                           const std::string& text) const {
  return Option(app_->add_option(names, value, text));
}

Option Command::add_option(const std::string& names, std::optional<int>& value,
                           const std::string& text) const {
  return Option(app_->add_option(names, value, text));
}

Option Command::add_option(const std::string& names, std::optional<std::int64_t>& value,
                           const std::string& text) const {
  return Option(app_->add_option(names, value, text));
}

Option Command::add_option(const std::string& names, std::optional<std::uint64_t>& value,
                           const std::string& text) const {
  return Option(app_->add_option(names, value, text));
}

Option Command::add_flag(const std::string& names, bool& value, const std::string& text) const {
  return Option(app_->add_flag(names, value, text));
}

Command Command::add_command(const std::string& name, const std::string& description,
                             const std::function<void()>& body) const {
  CLI::App* command = app_->add_subcommand(name, description);
  command->fallthrough();
  command->callback(body);
  return Command(*command);
}

Command Command::add_group(const std::string& name, const std::string& description) const {
  CLI::App* group = app_->add_subcommand(name, description);
  group->fallthrough();
  group->require_subcommand(0, 1);
  group->callback([group] {
    // Asked of the parent, the help's first line has the whole name.
    if (group->get_subcommands().empty()) print_text(group->get_parent()->help());
  });
  return Command(*group);
}

void Command::on_parsed(const std::function<void()>& body) const {
  app_->parse_complete_callback(body);
}

std::string Command::name() const { return app_->get_name(); }

std::string Command::description() const { return app_->get_description(); }

std::vector<Command> Command::commands() const {
  std::vector<Command> out;
  for (CLI::App* command : app_->get_subcommands(nullptr)) out.emplace_back(*command);
  return out;
}

std::vector<std::string> Command::long_flags() const {
  std::vector<std::string> out;
  for (const CLI::Option* option : app_->get_options()) {
    for (const std::string& flag : option->get_lnames()) out.push_back(flag);
  }
  return out;
}

}  // namespace tiphys::cli
