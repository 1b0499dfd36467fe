// What `run` and `watch` show while a workflow goes on: a tree that is redrawn on a terminal, a
// line for each change of a node elsewhere.
#pragma once

#include <map>
#include <string>

#include "cli/command.h"
#include "runtime/config.h"
#include "value/value.h"

namespace tiphys::cli {

struct LiveOptions {
  bool is_quiet = false;  // nothing but the end is wanted
  bool follow_logs = false;
  runtime::Config config = {};
};

class LiveView {
 public:
  LiveView(LiveOptions options, const Session& session);

  /// Shows the workflow as it stands now. Redraws at most some ten times a second.
  void update(const value::Value& workflow);
  /// The workflow has ended: the last state is drawn, the rest of the logs printed.
  void finish();
  /// Whether the final tree is on the screen already.
  [[nodiscard]] bool has_shown_end() const {
    return is_terminal_ && !options_.is_quiet && lines_drawn_ > 0;
  }

 private:
  void redraw();
  void print_changes(const value::Value& workflow);
  void print_logs(const value::Value& workflow);

  LiveOptions options_;
  const Session& session_;
  bool is_terminal_;
  int lines_drawn_ = 0;
  clock::Instant drawn_at_;
  value::Value latest_;
  std::map<std::string, std::string> phases_;       // node id -> last phase printed
  std::map<std::string, std::size_t> log_offsets_;  // pod -> bytes printed
};

}  // namespace tiphys::cli
