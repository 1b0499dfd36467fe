module tiphys.example/bench

go 1.22

require github.com/expr-lang/expr v1.17.8

require (
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/valyala/fasttemplate v1.2.2 // indirect
)
