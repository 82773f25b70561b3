using Broker.Gateway.Hosting;
using Xunit;

namespace Broker.Tests.Unit.Deploy;

public class HaproxyTests
{
    private const string Configuration = "deploy/haproxy/haproxy.cfg";

    [Fact]
    public void NothingIsWrong_WhenRead() => Assert.Equal([], Faults(SourceTree.Text(Configuration)));

    [Theory]
    [InlineData("default_backend nodes", "default_backend others", "backend others is not there")]
    [InlineData("    default_backend nodes", "", "the frontend has no backend")]
    [InlineData("server node2 node2:1883", "server node2 node2:1884", "node2 listens on 1884, not on 1883")]
    [InlineData("    server node", "    # server node", "there is no server")]
    [InlineData("check port 8081", "check port 8080", "servers are not checked on port 8081")]
    [InlineData("/health/ready", "/health/live", "/health/ready is not asked")]
    [InlineData("    option httpchk", "", "the check is not by HTTP")]
    [InlineData("balance leastconn", "balance roundrobin", "new clients do not go where fewest are")]
    [InlineData("inter 1s fall 2", "inter 5s fall 3", "a draining node is noticed after 00:00:15, but waits 00:00:05")]
    [InlineData("timeout server 28h", "timeout server 10m", "timeout server cuts clients with a long keep alive")]
    [InlineData("timeout client 28h", "", "timeout client cuts clients with a long keep alive")]
    public void FaultIsFound_WhenLineIsBroken(string old, string broken, string fault) =>
        Assert.Contains(fault, Faults(SourceTree.Text(Configuration).Replace(old, broken, StringComparison.Ordinal)));

    [Fact]
    public void LineOutsideSections_IsAnError() => Assert.Throws<FormatException>(() => HaproxyConfiguration.Parse("balance leastconn"));

    [Fact]
    public void HaproxyAcceptsIt_WhenInstalled()
    {
        var run = DeployTree.Run("haproxy", "-c", "-f", Path.Combine(SourceTree.Root, Configuration));
        Assert.SkipWhen(run is null, "haproxy is not installed");
        Assert.True(run!.Value.Code == 0, run.Value.Output);
    }

    [Fact]
    public void HaproxyRefuses_WhenKeywordIsUnknown()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, SourceTree.Text(Configuration).Replace("balance leastconn", "balanced leastconn", StringComparison.Ordinal));
            var run = DeployTree.Run("haproxy", "-c", "-f", path);
            Assert.SkipWhen(run is null, "haproxy is not installed");
            Assert.NotEqual(0, run!.Value.Code);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string[] Faults(string text) =>
        [.. HaproxyConfiguration.Parse(text).Faults(new GatewayOptions().Port, ProgramSettings.DefaultAdminPort, DockerfileTests.DrainDelay)];
}
