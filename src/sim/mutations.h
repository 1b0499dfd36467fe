// What a simulated fleet can be made to do wrong, so that its checks are seen to fail.
//
// Pure data.
#pragma once

namespace tiphys::sim {

struct Mutations {
  bool no_fencing = false;             // the database takes commits whatever the lease
  bool judges_by_own_clock = false;    // engines say themselves whether another's lease is over
  bool leases_never_end = false;       // nobody takes over from an engine of another place
  bool create_not_idempotent = false;  // a pod that is there is made again
  bool acts_before_commit = false;     // effects leave before the events are stored
  bool drop_ends_pods = false;         // whoever loses a workflow ends its pods
  bool gives_up_pods = false;          // whoever takes over says that the pods were lost
  bool acknowledges_lost = false;      // a pod's end is acknowledged though its workflow was lost
  bool new_key_each_time = false;      // a request that is sent again has another key
};

}  // namespace tiphys::sim
