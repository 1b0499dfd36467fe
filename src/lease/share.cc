#include "lease/share.h"

#include <algorithm>

namespace tiphys::lease {

bool leave_to_others(std::set<std::string>& wanted, const std::set<std::string>& urgent,
                     std::size_t unfinished, std::size_t engines, std::size_t running) {
  if (engines <= 1) return false;
  bool leaves_some = false;
  const std::size_t share = unfinished / engines + 1;
  std::size_t room = share - std::min(share, running);
  std::erase_if(wanted, [&](const std::string& uid) {
    if (urgent.contains(uid)) return false;
    if (room == 0) leaves_some = true;
    return room == 0 || room-- == 0;
  });
  return leaves_some;
}

}  // namespace tiphys::lease
