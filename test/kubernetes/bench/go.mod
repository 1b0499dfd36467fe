module podbench

go 1.25
