#include "cli/command.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/check.h"
#include "store/open.h"

namespace tiphys::cli {

bool Session::color() const {
  const char* unwanted = std::getenv("NO_COLOR");
  const bool is_unwanted = unwanted != nullptr && *unwanted != '\0';
  return !no_color && !is_unwanted && isatty(STDOUT_FILENO) == 1;
}

diag::Result<Opened> open_state() {
  TRY(runtime::Config config, runtime::Config::from_environment());
  return open_state(std::move(config));
}

diag::Result<Opened> open_state(runtime::Config config) {
  config.check_workflow = why_invalid;
  TRY(auto store, store::open(config.store_address()));
  return Opened{.config = std::move(config), .store = std::move(store)};
}

void fail_with(Session& session, const std::string& text) {
  fmt::print(stderr, "Error: {}\n", text);
  session.exit_code = 1;
}

void fail_with(Session& session, const diag::Error& error) {
  const diag::Position& at = error.at;
  fail_with(session, at.is_known()
                         ? fmt::format("{}:{}:{}: {}", at.file, at.line, at.column, error.message)
                         : error.message);
}

std::unexpected<diag::Error> wrong_usage(std::string text) {
  return diag::fail(diag::Code::kInvalidManifest, std::move(text));
}

void print_text(std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), stdout); }

Command add_command(Command app, const std::string& name, const std::string& description,
                    Session& session, const std::function<diag::Result<void>()>& body) {
  return app.add_command(name, description, [&session, body] {
    auto done = body();
    if (!done) fail_with(session, done.error());
  });
}

clock::Instant now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

diag::Result<store::WorkflowRow> find_workflow(store::Store& store, const Session& session,
                                               const std::string& name) {
  if (name != "@latest") return store.find_workflow(session.name_space, name);
  TRY(const auto rows, store.list_workflows(session.name_space, true));
  if (rows.empty()) return diag::fail(diag::Code::kNotFound, "no workflows found");
  return store.find_workflow(rows.front().name_space, rows.front().name);
}

bool has_engine(const Opened& state) {
  if (state.store->has_leases()) {
    const auto spread = state.store->spread();
    if (spread && spread->engines > 0) return true;
  }
  const runtime::Config& config = state.config;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bool found = false;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(config.home, error)) {
    const std::string path = entry.path().string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("engine-") || path.size() >= sizeof address.sun_path) continue;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    found = found || connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  close(fd);
  return found;
}

void note_if_no_engine(const Opened& state) {
  if (has_engine(state)) return;
  fmt::print(stderr, "note: no engine is running on '{}': start 'tiphys server'\n",
             state.config.home);
}

}  // namespace tiphys::cli
