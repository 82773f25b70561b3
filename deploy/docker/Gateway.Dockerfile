# syntax=docker/dockerfile:1
# The broker: gateway and silo in one process. From the top level:
#   docker build -f deploy/docker/Gateway.Dockerfile -t broker-gateway:0.1.0 .
#   docker run -p 1883:1883 -v broker-data:/data broker-gateway:0.1.0
# The output runs on every architecture, so it is built once, on the builder's own.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
# Packages first: this layer is kept as long as no project file changes.
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY Grains.Interfaces/Grains.Interfaces.csproj Grains.Interfaces/
COPY Grains/Grains.csproj Grains/
COPY Silo/Silo.csproj Silo/
COPY Gateway/Gateway.csproj Gateway/
RUN dotnet restore Gateway/Gateway.csproj
COPY Grains.Interfaces/ Grains.Interfaces/
COPY Grains/ Grains/
COPY Silo/ Silo/
COPY Gateway/ Gateway/
RUN dotnet publish Gateway/Gateway.csproj -c Release --no-restore -p:UseAppHost=false -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# A single node keeps its SQLite database in /data. In a cluster the database has everything, and /data stays empty.
RUN mkdir /data /etc/broker && chown "$APP_UID:$APP_UID" /data
COPY --from=build /app /app
# docker exec <container> broker ctl ...
COPY deploy/bin/broker /usr/local/bin/broker
ENV Broker__Storage__DataDirectory=/data \
    Broker__Cluster__Port=7800 \
    Broker__Cluster__DrainDelay=00:00:05
# An appsettings.json mounted here adds to the one that comes with the program.
WORKDIR /etc/broker
USER $APP_UID
VOLUME /data
# MQTT, other members of the cluster, operators
EXPOSE 1883 7800 8081 18083
STOPSIGNAL SIGTERM
# The image has no HTTP client; bash opens the connection itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET /health/live HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["dotnet", "/app/Broker.Gateway.dll"]
