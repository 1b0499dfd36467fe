// The log of one container, from the API into a file, while the container runs and to its end.
//
// The API's lines with timestamps are those that the file has anyway. Lines that tiphys-step wrote
// for the engine are taken out. A stream that breaks off is begun again where it was. Its functions
// are called in the client's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kube/client.h"

namespace tiphys::kube {

struct PodLogPlan {
  std::string path;  // `/api/v1/namespaces/NS/pods/NAME/log?container=C`
  std::string file;
  std::string nonce;
  std::int64_t size_max = 0;  // bytes that are kept
};

class PodLog {
 public:
  struct Calls {
    std::function<void(std::string progress)> on_progress;
    /// All of it is there, or no more can be had. `report` is what tiphys-step put into it.
    std::function<void(std::string report, std::size_t report_lines)> on_over;
    /// Asks for wake() at or soon after the time (steady ns).
    std::function<void(std::int64_t at)> wake_me;
  };

  PodLog(Client& client, PodLogPlan plan, Calls calls);
  ~PodLog();
  PodLog(const PodLog&) = delete;
  PodLog& operator=(const PodLog&) = delete;

  /// Begins, or goes on after a pause. Any thread.
  void wake();
  /// The container has ended: a stream that begins now has everything. Any thread.
  void container_ended();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::kube
