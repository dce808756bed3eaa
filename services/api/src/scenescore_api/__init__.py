"""The HTTP gateway: takes pictures in, hands jobs and their music out. No torch, ever."""
