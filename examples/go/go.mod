module example.com/bpf-jitd

go 1.19
