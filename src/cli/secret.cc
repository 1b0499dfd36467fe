#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.h"
#include "cli/inputs.h"
#include "store/secrets.h"
#include "view/table.h"

namespace tiphys::cli {

namespace {

struct SecretFlags {
  std::vector<std::string> names;
  std::vector<std::string> literals;
  std::vector<std::string> files;
};

diag::Result<std::pair<std::string, std::string>> split(const std::string& pair,
                                                        const char* option) {
  const std::size_t eq = pair.find('=');
  // The value is not shown: it may be the secret.
  if (eq == std::string::npos || eq == 0) {
    return wrong_usage(fmt::format("{} wants KEY=VALUE", option));
  }
  return std::pair{pair.substr(0, eq), pair.substr(eq + 1)};
}

diag::Result<void> create(const SecretFlags& o, const Session& session) {
  TRY(const runtime::Config config, runtime::Config::from_environment());
  store::Secrets::Values values;
  for (const std::string& literal : o.literals) {
    TRY(const auto pair, split(literal, "--from-literal"));
    values[pair.first] = pair.second;
  }
  for (const std::string& file : o.files) {
    TRY(const auto pair, split(file, "--from-file"));
    TRY(values[pair.first], read_file(pair.second));
  }
  if (values.empty()) {
    return wrong_usage("give --from-literal KEY=VALUE or --from-file KEY=PATH");
  }
  TRY_VOID(store::Secrets(config.secrets_path()).put(session.space(), o.names.front(), values));
  print_text(fmt::format("secret '{}' stored\n", o.names.front()));
  return {};
}

diag::Result<void> list(const SecretFlags& o, const Session& session) {
  TRY(const runtime::Config config, runtime::Config::from_environment());
  TRY(const auto infos, store::Secrets(config.secrets_path()).list(session.name_space));
  std::vector<std::vector<std::string>> rows = {{"NAMESPACE", "NAME", "KEYS"}};
  for (const store::SecretInfo& info : infos) {
    if (!o.names.empty() && o.names.front() != info.name) continue;
    rows.push_back({info.name_space, info.name, fmt::format("{}", fmt::join(info.keys, ","))});
  }
  if (!o.names.empty() && rows.size() == 1) {
    return diag::fail(diag::Code::kNotFound,
                      fmt::format("secrets \"{}\" not found", o.names.front()));
  }
  print_text(view::format_table(rows, 3));
  return {};
}

diag::Result<void> remove(const SecretFlags& o, const Session& session) {
  TRY(const runtime::Config config, runtime::Config::from_environment());
  for (const std::string& name : o.names) {
    TRY_VOID(store::Secrets(config.secrets_path()).remove(session.space(), name));
    print_text(fmt::format("secret '{}' deleted\n", name));
  }
  return {};
}

}  // namespace

void add_secret(Command app, Session& session) {
  const Command group = app.add_group("secret", "secrets of this machine; values are never shown");
  auto c = std::make_shared<SecretFlags>();
  const Command creating =
      add_command(group, "create", "store a secret; one of its name is replaced", session,
                  [c, &session] { return create(*c, session); });
  creating.add_option("NAME", c->names, "its name").required().exactly_one();
  creating.add_option("--from-literal", c->literals, "KEY=VALUE").one_word_each();
  creating.add_option("--from-file", c->files, "KEY=PATH; - is stdin").one_word_each();
  auto l = std::make_shared<SecretFlags>();
  add_command(group, "list", "names and keys", session,
              [l, &session] { return list(*l, session); });
  auto g = std::make_shared<SecretFlags>();
  add_command(group, "get", "the keys of a secret", session,
              [g, &session] { return list(*g, session); })
      .add_option("NAME", g->names, "its name")
      .required()
      .exactly_one();
  auto d = std::make_shared<SecretFlags>();
  add_command(group, "delete", "delete secrets", session,
              [d, &session] { return remove(*d, session); })
      .add_option("NAME", d->names, "names")
      .required();
}

}  // namespace tiphys::cli
