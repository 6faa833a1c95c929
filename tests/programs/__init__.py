"""What people run by hand: benchmarks, faults at full size, fuzzing, pictures and files of docs and k8s."""
