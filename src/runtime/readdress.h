// A notification that nobody could be sent to, since its channel was not there: who it goes to once
// it is.
//
// Reads the store; used by commands.
#pragma once

#include <vector>

#include "diag/error.h"
#include "store/delivery.h"
#include "store/store.h"

namespace tiphys::runtime {

/// The rows to send in place of `row`: itself, or, where it has never had a destination, one for
/// each that the channel has now; the first has its id. Errors: kNotFound, kInvalidManifest (the
/// channel still cannot be used, and why), kIo.
[[nodiscard]] diag::Result<std::vector<store::DeliveryRow>> readdressed(store::Store& store,
                                                                        store::DeliveryRow row);

}  // namespace tiphys::runtime
