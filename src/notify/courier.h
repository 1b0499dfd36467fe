// Sends requests of channels: HTTP and SMTP by libcurl, commands as processes.
//
// One thread, many transfers at once. Redirects are not followed: an answer 3xx is refused by the
// verdict, so that no other host than the configured one is ever spoken to. Before a connection is
// opened, and after names are resolved, addresses that no notification is meant for are refused:
// link-local ones with the metadata services of clouds, and private ones too if so configured.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "clock/instant.h"
#include "notify/channel.h"

namespace tiphys::notify {

struct CourierOptions {
  clock::Duration timeout = clock::Duration::seconds(15);  // of one attempt
  bool refuses_private = false;  // also loopback, 10/8, 172.16/12, 192.168/16, fc00::/7
};

/// What came of one attempt.
struct Report {
  std::string id;
  Answer answer;
  clock::Instant at;        // when it was begun
  clock::Duration latency;  // until the answer was whole
};

class Courier {
 public:
  Courier() = default;
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;
  /// Ends what is under way without a report.
  virtual ~Courier() = default;
  /// Exactly one report follows. Any thread; does not block.
  virtual void send(std::string id, Request request) = 0;
};

/// `on_report` is called from the courier's thread; it must be quick.
[[nodiscard]] std::unique_ptr<Courier> make_courier(CourierOptions options,
                                                    std::function<void(Report)> on_report);

}  // namespace tiphys::notify
