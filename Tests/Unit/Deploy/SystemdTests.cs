using Xunit;

namespace Broker.Tests.Unit.Deploy;

public sealed class SystemdTests : IDisposable
{
    private const string Folder = "deploy/systemd";

    private readonly string scratch = Directory.CreateTempSubdirectory("broker-units-").FullName;

    public void Dispose() => Directory.Delete(scratch, recursive: true);

    [Theory]
    [InlineData("broker", "gateway/Broker.Gateway.dll")]
    [InlineData("broker-silo", "silo/Broker.Silo.dll")]
    public void NothingIsWrong_WhenRead(string unit, string program) => Assert.Equal([], UnitFile.Parse(Text(unit)).Faults(unit, program));

    [Theory]
    [InlineData("gateway/Broker.Gateway.dll", "Gateway.dll", "does not start gateway/Broker.Gateway.dll")]
    [InlineData("/etc/broker/broker.env", "/etc/broker/other.env", "no example of other.env")]
    [InlineData("TimeoutStopSec=75", "TimeoutStopSec=10", "is not given 75 s to drain")]
    [InlineData("LimitNOFILE=1048576", "", "LimitNOFILE is not set")]
    [InlineData("User=broker", "User=root", "User = root")]
    [InlineData("NoNewPrivileges=yes", "NoNewPrivileges=no", "NoNewPrivileges = no")]
    [InlineData("LockPersonality=yes", "MemoryDenyWriteExecute=yes", "MemoryDenyWriteExecute keeps the runtime from compiling")]
    [InlineData("/var/lib/broker", "/srv/broker", "may not write to /srv/broker")]
    [InlineData("[Install]", "[Instal]", "[Instal] is no section")]
    [InlineData("WantedBy=multi-user.target", "", "is not started at boot")]
    public void FaultIsFound_WhenLineIsBroken(string old, string broken, string fault) =>
        Assert.Contains(fault, UnitFile.Parse(Text("broker").Replace(old, broken, StringComparison.Ordinal)).Faults("broker", "gateway/Broker.Gateway.dll"));

    [Theory]
    [InlineData("[Unit]\nDescription")]
    [InlineData("Description=x")]
    public void LineThatIsNoSetting_IsAnError(string text) => Assert.Throws<FormatException>(() => UnitFile.Parse(text));

    [Theory]
    [InlineData("broker")]
    [InlineData("broker-silo")]
    public void SystemdAcceptsIt_WhenInstalled(string unit) => Assert.Equal([], Verify(Text(unit)));

    [Fact]
    public void SystemdComplains_WhenSettingIsUnknown() => Assert.NotEmpty(Verify(Text("broker").Replace("Restart=", "Restrat=", StringComparison.Ordinal)));

    private static string Text(string unit) => SourceTree.Text($"{Folder}/{unit}.service");

    /// <summary>What systemd has to say about a unit whose program is there.</summary>
    private IEnumerable<string> Verify(string text)
    {
        // A unit of another name than any that is installed here.
        var path = Path.Combine(scratch, "verified-broker.service");
        File.WriteAllText(path, text.Replace("ExecStart=/usr/bin/dotnet", $"ExecStart={Environment.ProcessPath}", StringComparison.Ordinal));
        var run = DeployTree.Run("systemd-analyze", "verify", "--man=no", path);
        Assert.SkipWhen(run is null, "systemd-analyze is not installed");
        // It reads the machine's own units too.
        return run!.Value.Output.Split('\n').Where(line => line.Contains("verified-broker.service", StringComparison.Ordinal));
    }
}
