using System.Globalization;
using Xunit;

namespace Broker.Tests.Unit.Deploy;

public class DockerfileTests
{
    private const string Gateway = "deploy/docker/Gateway.Dockerfile", Silo = "deploy/docker/Silo.Dockerfile";

    /// <summary>How long a node in a container goes on serving after it has turned unready.</summary>
    public static TimeSpan DrainDelay =>
        TimeSpan.Parse(Dockerfile.Parse(SourceTree.Text(Gateway)).Environment("Broker__Cluster__DrainDelay")!, CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(Gateway, "Gateway", "1883 7800 8081 18083")]
    [InlineData(Silo, "Silo", "7800 8081")]
    public void NothingIsWrong_WhenRead(string path, string project, string ports) =>
        Assert.Equal([], Dockerfile.Parse(SourceTree.Text(path)).Faults(project, ports));

    [Theory]
    [InlineData("COPY Grains/ Grains/", "", "Grains is not copied")]
    [InlineData("COPY Grains/Grains.csproj Grains/", "", "Grains is not copied")]
    [InlineData("COPY Grains/ Grains/", "COPY Grain/ Grains/", "COPY Grain/: not there")]
    [InlineData("COPY Grains/ Grains/", "COPY Grains/ Grains/\nCOPY Tests/ Tests/", "COPY Tests/: .dockerignore keeps it away")]
    [InlineData(" .editorconfig", "", ".editorconfig is not copied")]
    [InlineData("publish Gateway/Gateway.csproj", "publish Silo/Silo.csproj", "Gateway is not published")]
    [InlineData("Broker.Gateway.dll", "Gateway.dll", "Broker.Gateway.dll is not started")]
    [InlineData("aspnet:10.0", "aspnet:9.0", "FROM mcr.microsoft.com/dotnet/aspnet:9.0: not .NET 10.0")]
    [InlineData("USER $APP_UID", "", "runs as root")]
    [InlineData("EXPOSE 1883 7800", "EXPOSE 1883", "does not expose 1883 7800 8081 18083")]
    [InlineData("VOLUME /data", "VOLUME /var/lib/broker", "its data are not on the volume")]
    [InlineData("/127.0.0.1/8081", "/127.0.0.1/8080", "/health/live is not asked")]
    public void FaultIsFound_WhenLineIsBroken(string old, string broken, string fault) =>
        Assert.Contains(fault, Dockerfile.Parse(SourceTree.Text(Gateway).Replace(old, broken, StringComparison.Ordinal)).Faults("Gateway", "1883 7800 8081 18083"));
}
