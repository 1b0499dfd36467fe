// Links that end a workflow's waiting for a person: what they ask for, signed, for a time.
//
// Who has the link may do what it says, and nothing else: it names one verb, one workflow and one
// waiting of it, so it has no effect any more once that is over. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "clock/instant.h"

namespace tiphys::notify {

/// What a link asks for.
struct LinkedAction {
  std::string verb;        // resume or stop
  std::string uid;         // of the workflow
  std::string node;        // the id of the node that waits; "" when the workflow is suspended
  std::string started_at;  // of that node, else of the workflow: a retry waits anew
  clock::Instant expires_at;
};

/// How links are made: where a server answers them, and what signs them.
struct LinkMaker {
  std::string base;  // https://tiphys.example.com; "" for no links
  std::string key;
  clock::Duration valid = clock::Duration::seconds(7LL * 24 * 3600);
};

/// What every path of a link begins with.
inline constexpr std::string_view kActionPath = "/actions/";

/// The last part of a link's path: unreserved characters and colons only.
[[nodiscard]] std::string action_token(const LinkedAction& action, std::string_view key);
/// nullopt for what was not made with this key, or has expired.
[[nodiscard]] std::optional<LinkedAction> read_action_token(std::string_view token,
                                                            std::string_view key,
                                                            clock::Instant now);

}  // namespace tiphys::notify
