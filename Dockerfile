# The binary of `cargo xtask dist` and nothing else. In target/dist:
#   docker build --tag hopscope .
#   docker run --rm --network host --volume hopscope:/data hopscope
# With the host's network it listens on the host's loopback, as without a container. Where a container has a network of its
# own, add `--listen 0.0.0.0:7878` and a published port; it then asks for a token, which it prints (docs/security.md).
FROM debian:12-slim
COPY hopscope /usr/local/bin/hopscope
VOLUME /data
ENTRYPOINT ["/usr/local/bin/hopscope"]
CMD ["serve", "--data", "/data"]
