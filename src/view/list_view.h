// Lists of workflows as `argo list` prints them, and of their pods as kubectl would.
//
// There are no pods here, but people look at what their steps do with `kubectl get pods`. The
// advice on costs that argo prints below more than a hundred workflows is left out. Pure.
#pragma once

#include <string>
#include <vector>

#include "clock/instant.h"
#include "value/value.h"

namespace tiphys::view {

struct ListOptions {
  bool wide = false;
  bool headers = true;
  bool show_namespace = false;
  clock::Instant now;
};

/// As `argo list`: unfinished first, then by the end, newest first.
[[nodiscard]] std::string format_list(const std::vector<value::Value>& workflows,
                                      const ListOptions& options);
/// The order in which format_list() shows them.
void sort_for_list(std::vector<value::Value>& workflows);

/// The Pod nodes of workflows as `kubectl get pods` shows them: NAME READY STATUS RESTARTS AGE.
[[nodiscard]] std::string format_pods(const std::vector<value::Value>& workflows,
                                      clock::Instant now);

}  // namespace tiphys::view
