#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "cli/commands.h"
#include "store/secrets.h"

namespace tiphys::cli {

namespace {

struct SecretFlags {
  std::vector<std::string> names;
  std::vector<std::string> literals;
  std::vector<std::string> files;
};

std::string space_of(const Session& session) {
  return session.name_space.empty() ? "default" : session.name_space;
}

diag::Result<std::pair<std::string, std::string>> split(const std::string& pair,
                                                        const char* option) {
  const std::size_t eq = pair.find('=');
  // The value is not shown: it may be the secret.
  if (eq == std::string::npos || eq == 0) {
    return diag::fail(diag::Code::kInvalidManifest, fmt::format("{} wants KEY=VALUE", option));
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
    std::ifstream in(pair.second, std::ios::binary);
    if (!in) return diag::fail(diag::Code::kIo, fmt::format("cannot read '{}'", pair.second));
    values[pair.first] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  if (values.empty())
    return diag::fail(diag::Code::kInvalidManifest,
                      "give --from-literal KEY=VALUE or --from-file KEY=PATH");
  TRY_VOID(store::Secrets(config.secrets_path()).put(space_of(session), o.names.front(), values));
  fmt::print("secret '{}' stored\n", o.names.front());
  return {};
}

diag::Result<void> list(const SecretFlags& o, const Session& session) {
  TRY(const runtime::Config config, runtime::Config::from_environment());
  TRY(const auto infos, store::Secrets(config.secrets_path()).list(session.name_space));
  fmt::print("{:<12} {:<32} {}\n", "NAMESPACE", "NAME", "KEYS");
  bool found = o.names.empty();
  for (const store::SecretInfo& info : infos) {
    if (!o.names.empty() && o.names.front() != info.name) continue;
    found = true;
    fmt::print("{:<12} {:<32} {}\n", info.name_space, info.name, fmt::join(info.keys, ","));
  }
  if (found) return {};
  return diag::fail(diag::Code::kNotFound,
                    fmt::format("secrets \"{}\" not found", o.names.front()));
}

diag::Result<void> remove(const SecretFlags& o, const Session& session) {
  TRY(const runtime::Config config, runtime::Config::from_environment());
  for (const std::string& name : o.names) {
    TRY_VOID(store::Secrets(config.secrets_path()).remove(space_of(session), name));
    fmt::print("secret '{}' deleted\n", name);
  }
  return {};
}

}  // namespace

void add_secret(CLI::App& app, Session& session) {
  CLI::App* group = app.add_subcommand("secret", "secrets of this machine; values are never shown");
  group->require_subcommand(1);
  auto c = std::make_shared<SecretFlags>();
  CLI::App* creating = add_command(*group, "create", "store a secret", session,
                                   [c, &session] { return create(*c, session); });
  creating->add_option("NAME", c->names)->required()->expected(1);
  creating->add_option("--from-literal", c->literals, "KEY=VALUE")->allow_extra_args(false);
  creating->add_option("--from-file", c->files, "KEY=PATH")->allow_extra_args(false);
  auto l = std::make_shared<SecretFlags>();
  add_command(*group, "list", "names and keys", session,
              [l, &session] { return list(*l, session); });
  auto g = std::make_shared<SecretFlags>();
  add_command(*group, "get", "the keys of a secret", session,
              [g, &session] { return list(*g, session); })
      ->add_option("NAME", g->names)
      ->required()
      ->expected(1);
  auto d = std::make_shared<SecretFlags>();
  add_command(*group, "delete", "delete secrets", session,
              [d, &session] { return remove(*d, session); })
      ->add_option("NAME", d->names)
      ->required();
}

}  // namespace tiphys::cli
