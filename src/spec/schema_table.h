// The fields of every object that a manifest may hold, as text: one line per struct,
// `pkg.Type|name:code|name:code!`.
//
// Facts derived from the Go types of Argo v4.1.2 and Kubernetes 1.35 by tools/schema_table.py; what
// the codes mean stands in schema.h. Pure data.
#pragma once

namespace tiphys::spec {

extern const char* const kArgoFields;
extern const char* const kCoreFieldsA;
extern const char* const kCoreFieldsB;

}  // namespace tiphys::spec
