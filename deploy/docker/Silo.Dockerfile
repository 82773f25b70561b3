# syntax=docker/dockerfile:1
# A silo alone: grains, no MQTT port. It needs a cluster, so a database. From the top level:
#   docker build -f deploy/docker/Silo.Dockerfile -t broker-silo:0.1.0 .
# The output runs on every architecture, so it is built once, on the builder's own.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
# Packages first: this layer is kept as long as no project file changes.
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY Grains.Interfaces/Grains.Interfaces.csproj Grains.Interfaces/
COPY Grains/Grains.csproj Grains/
COPY Silo/Silo.csproj Silo/
RUN dotnet restore Silo/Silo.csproj
COPY Grains.Interfaces/ Grains.Interfaces/
COPY Grains/ Grains/
COPY Silo/ Silo/
RUN dotnet publish Silo/Silo.csproj -c Release --no-restore -p:UseAppHost=false -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# Empty in a cluster, but there for a silo that runs alone.
RUN mkdir /data /etc/broker && chown "$APP_UID:$APP_UID" /data
COPY --from=build /app /app
ENV Broker__Storage__DataDirectory=/data \
    Broker__Cluster__Port=7800
# An appsettings.json mounted here adds to the program's own settings.
WORKDIR /etc/broker
USER $APP_UID
VOLUME /data
# Other members of the cluster, operators
EXPOSE 7800 8081
STOPSIGNAL SIGTERM
# The image has no HTTP client; bash opens the connection itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET /health/live HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["dotnet", "/app/Broker.Silo.dll"]
