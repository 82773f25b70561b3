using Broker.Gateway.Cli;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Cli;

/// <summary>Whom the command line asks, and as whom.</summary>
public sealed class CtlSettingsTests : IDisposable
{
    private readonly string home = Directory.CreateTempSubdirectory("broker-home-").FullName;

    public void Dispose() => Directory.Delete(home, recursive: true);

    [Fact]
    public async Task FileOfAuthoritiesMustHaveOne()
    {
        var path = Path.GetTempFileName();
        try
        {
            var outcome = await Ctl.RunAsync("broker", "--cacert", path);
            Assert.Equal((2, $"--cacert {path} has no certificate\n"), (outcome.Code, outcome.Error));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("", "", "", false, "http://127.0.0.1:8081/ admin public")]
    [InlineData("", "", "", true, "http://127.0.0.1:18083/ admin public")]
    [InlineData("user=me,password=p", "", "", false, "http://127.0.0.1:18083/ me p")]
    [InlineData("app-id=a,secret=s", "", "", false, "http://127.0.0.1:8081/ a s")]
    [InlineData("", "BROKER_URL=https://h:9,BROKER_APP_ID=a,BROKER_SECRET=s", "", false, "https://h:9/ a s")]
    [InlineData("url=http://o:1,app-id=b", "BROKER_URL=https://h:9,BROKER_APP_ID=a,BROKER_SECRET=s", "", false, "http://o:1/ b s")]
    [InlineData("", "BROKER_URL=https://h:8081", "", true, "https://h:18083/ admin public")]
    [InlineData("url=http://o:8081", "", "", true, "http://o:8081/ admin public")]
    [InlineData("", "", """{"url":"http://f:8081","app_id":"f","secret":"g"}""", false, "http://f:8081/ f g")]
    [InlineData("secret=s", "BROKER_APP_ID=a", """{"url":"http://f:8081","app_id":"f","secret":"g"}""", false, "http://f:8081/ a s")]
    [InlineData("", "", """{"url":"http://f:8081","user":"u","password":"v"}""", false, "http://f:18083/ u v")]
    [InlineData("app-id=a,secret=s", "", """{"url":"http://f:8081","user":"u","password":"v"}""", false, "http://f:8081/ a s")]
    public void NearestWins(string options, string environment, string file, bool isForUsers, string expected)
    {
        var settings = Resolve(options, environment, file, isForUsers);
        Assert.Equal(expected, $"{settings.Url} {settings.Name} {settings.Secret}");
    }

    [Fact]
    public void RestIsReadToo_FromTheFile()
    {
        var settings = Resolve("", "", """{"insecure":true,"timeout":2.5,"cacert":"ca.pem"}""", isForUsers: false);
        Assert.Equal((true, TimeSpan.FromSeconds(2.5), "ca.pem"), (settings.IsInsecure, settings.Timeout, settings.CaCertificate));
    }

    [Theory]
    [InlineData("url=nowhere", "")]
    [InlineData("timeout=0", "")]
    [InlineData("", "{")]
    [InlineData("", "[1]")]
    public void UsageIsWrong_WhenItCannotBeRead(string options, string file) => Assert.Equal(ExitCode.Usage, Assert.Throws<CtlException>(() => Resolve(options, "", file, isForUsers: false)).Code);

    private CtlSettings Resolve(string options, string environment, string file, bool isForUsers)
    {
        var folder = Directory.CreateDirectory(Path.Combine(home, ".config", "broker")).FullName;
        if (file.Length > 0) File.WriteAllText(Path.Combine(folder, "ctl.json"), file);
        var (given, variables) = (Pairs(options), Pairs(environment));
        variables["HOME"] = home;
        return CtlSettings.Resolve(name => given.GetValueOrDefault(name), name => variables.GetValueOrDefault(name), isForUsers);
    }

    private static Dictionary<string, string> Pairs(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
}
