// What `run`, `watch` and --log show while workflows go on: trees that are redrawn on a terminal,
// a line for each change of a node elsewhere, or the lines of the logs.
//
// An object of a workflow costs O(nodes) to make, so it is asked for when the view is due, not at
// each change: the bigger it is, the less often. Used by one thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/pod_logs.h"
#include "runtime/config.h"
#include "value/value.h"
#include "view/workflow_view.h"

namespace tiphys::cli {

struct LiveOptions {
  enum class Show { kNothing, kNodes, kLogs };
  Show show = Show::kNodes;
  bool logs_to_stderr = false;  // stdout is for the final object
  view::GetOptions view = {};   // colours, filters of nodes
  runtime::Config config = {};
};

class LiveView {
 public:
  /// Gives the Workflow object of a uid as it stands now; null when it cannot.
  using Fetch = std::function<value::Value(const std::string& uid)>;

  LiveView(LiveOptions options, Fetch fetch);

  /// Something of this workflow has changed (or it is there for the first time).
  void changed(const std::string& uid) { dirty_.insert(uid); }
  /// To be called a few times a second: shows what is due.
  void tick();
  /// All workflows have ended: shows what is left. On a terminal the final trees stay there.
  void finish();
  /// Tells something on stderr; where that is the terminal of a tree, above the tree.
  void note(std::string_view text);
  /// Whether finish() leaves the final state on the screen.
  [[nodiscard]] bool shows_end() const { return draws_tree(); }

 private:
  struct Watched {
    value::Value object;
    bool is_over = false;
    bool was_drawn_last = false;                // its final tree is on the screen for good
    std::map<std::string, std::string> phases;  // node id -> last phase printed
  };

  [[nodiscard]] bool draws_tree() const {
    return is_terminal_ && options_.show == LiveOptions::Show::kNodes;
  }
  void refresh();
  void redraw();
  [[nodiscard]] std::string back_to_start();
  void print_changes(Watched& watched);
  void print_logs();

  LiveOptions options_;
  Fetch fetch_;
  bool is_terminal_;
  std::set<std::string> dirty_;
  std::vector<std::string> order_;  // uids, as they came
  std::map<std::string, Watched> watched_;
  std::map<std::string, PodLogs> logs_;  // by uid
  LogFilter all_lines_;
  clock::Instant refreshed_at_;
  clock::Duration refresh_cost_;
  clock::Instant drawn_at_;
  std::string notes_;  // to be written above the next drawing
  int lines_drawn_ = 0;
};

/// The part of a drawing that fits on a screen: the whole text; else a headline and the tree; else
/// the headline and the nodes at work, as many as there is room for. Pure. At most `rows` lines.
[[nodiscard]] std::string fit_to_screen(const value::Value& workflow, const view::GetOptions& view,
                                        int rows);

}  // namespace tiphys::cli
