# The cluster's process: a silo, a gateway or both (docs/operating-a-cluster.md). Build: docker build -t statehouse .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
# Packages in a layer of their own: they change less often than code.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/ServerRuntime.props src/
COPY src/Journal/*.csproj src/Journal/
COPY src/Journal.Sqlite/*.csproj src/Journal.Sqlite/
COPY src/Journal.Postgres/*.csproj src/Journal.Postgres/
COPY src/Agents/*.csproj src/Agents/
COPY src/Executions/*.csproj src/Executions/
COPY src/Gateway/*.csproj src/Gateway/
COPY src/Grains.Interfaces/*.csproj src/Grains.Interfaces/
COPY src/Grains/*.csproj src/Grains/
COPY src/Silo/*.csproj src/Silo/
# For this machine's platform, so that it is compiled ahead (src/ServerRuntime.props).
RUN dotnet restore src/Silo/Statehouse.Silo.csproj --use-current-runtime
COPY sql sql
COPY src src
RUN dotnet publish src/Silo/Statehouse.Silo.csproj -c Release --no-restore --use-current-runtime --self-contained false -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
# The image's own user: the process needs no rights beyond its ports.
USER app
# Bound to the container's addresses; other containers reach it by its first one that is not loopback.
ENV STATEHOUSE_HTTP_ADDR=0.0.0.0:8080 \
    STATEHOUSE_ADDR=0.0.0.0:50051 \
    STATEHOUSE_SILO_ADDR=0.0.0.0:11111 \
    STATEHOUSE_ORLEANS_GATEWAY_ADDR=0.0.0.0:30000
EXPOSE 8080 50051 11111 30000
STOPSIGNAL SIGTERM
# The image has no curl; bash speaks enough HTTP to see the status.
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.1\\r\\nHost: health\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["dotnet", "Statehouse.Silo.dll"]
