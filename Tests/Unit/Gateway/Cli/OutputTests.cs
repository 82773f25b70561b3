using System.Text.Json;
using Broker.Gateway.Cli;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Cli;

/// <summary>How answers are shown, to people and to programs, and how refusals are.</summary>
public sealed class OutputTests : IDisposable
{
    private readonly ScriptedApi api = new();

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task LinesHaveTabs_WhenNobodyLooks()
    {
        api.Answer("GET /api/v4/routes?_page=1&_limit=1000", """{"code":0,"data":[{"node":"n","topic":"a/b"},{"topic":"ü","node":"m"}],"meta":{"page":1,"limit":1000,"count":2}}""");
        var outcome = await api.RunAsync("routes", "list");
        Assert.Equal((0, "topic\tnode\na/b\tn\nü\tm\n", ""), (outcome.Code, outcome.Out, outcome.Error));
    }

    [Fact]
    public async Task HeadIsShown_WhenThereAreNone()
    {
        api.Answer("GET /api/v4/routes?_page=1&_limit=1000", """{"code":0,"data":[],"meta":{"page":1,"limit":1000,"count":0}}""");
        Assert.Equal("topic\tnode\n", (await api.RunAsync("routes", "list")).Out);
        Assert.Equal("[]\n", (await api.RunAsync("routes", "list", "--json")).Out);
    }

    [Fact]
    public async Task OrdersToTheTerminalAreShownAsText_WhenANameHoldsThem()
    {
        api.Answer("GET /api/v4/clients/x", """{"code":0,"data":[{"clientid":"\u001b[2J\t\n\u202egnp","username":"[red]u[/]"}]}""");
        Assert.Equal("clientid\t\\u001b[2J\\t\\n\\u202egnp\nusername\t[red]u[/]\n", (await api.RunAsync("clients", "show", "x")).Out);
        var table = await Ctl.RunAsync([], ["clients", "show", "x", "--url", api.Url], isTerminal: true);
        Assert.Contains("[red]u[/]", table.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("[2J\t", table.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AllPagesAreRead_AsOneListAndOneDocument()
    {
        for (var page = 1; page <= 3; page++)
        {
            var rows = string.Join(',', Enumerable.Range((page * 1000) - 1000, page == 3 ? 1 : 1000).Select(number => $$"""{"topic":"t{{number}}","node":"n"}"""));
            api.Answer($"GET /api/v4/routes?_page={page}&_limit=1000", $$$"""{"code":0,"data":[{{{rows}}}],"meta":{"page":{{{page}}},"limit":1000,"count":2001}}""");
        }

        var lines = (await api.RunAsync("routes", "list")).Lines;
        Assert.Equal((2002, "t0\tn", "t2000\tn"), (lines.Length, lines[1], lines[^1]));
        Assert.Equal(3, api.TakeCalls().Length);
        using var json = JsonDocument.Parse((await api.RunAsync("routes", "list", "--json")).Out);
        Assert.Equal((2001, "t2000"), (json.RootElement.GetArrayLength(), json.RootElement[2000].GetProperty("topic").GetString()));
        api.TakeCalls();
        Assert.Equal(1501, (await api.RunAsync("routes", "list", "--limit", "1500")).Lines.Length);
        Assert.Equal(2, api.TakeCalls().Length);
    }

    [Fact]
    public async Task NextPageIsRead_AsLongAsThereIsOne()
    {
        api.Answer("GET /api/v4/clients?username=u&_page=1&_limit=1000", """{"code":0,"data":[{"clientid":"a"}],"meta":{"page":1,"limit":1000,"count":-1,"hasnext":true}}""");
        api.Answer("GET /api/v4/clients?username=u&_page=2&_limit=1000", """{"code":0,"data":[{"clientid":"b"}],"meta":{"page":2,"limit":1000,"count":-1,"hasnext":false,"partial":true,"unavailable":["n@h"]}}""");
        var outcome = await api.RunAsync("clients", "list", "--username", "u");
        Assert.Equal(["a", "b"], outcome.Lines[1..].Select(line => line.Split('\t')[0]));
        Assert.Equal("n@h has not answered: what it holds is missing\n", outcome.Error);
    }

    [Fact]
    public async Task NodesStandBeforeTheirRows_WhenEachHasAnswered()
    {
        api.Answer("GET /api/v4/stats", """{"code":0,"data":[{"node":"a","stats":{"x.count":1,"x.max":2}},{"node":"b","stats":{"x.count":3}}]}""");
        api.Answer("GET /api/v4/modules", """{"code":0,"data":[{"node":"a","modules":[{"name":"m","description":"d","active":true}]}]}""");
        api.Answer("GET /api/v5/configuration/drift", """{"code":0,"data":{"version":4,"nodes":[{"node":"a","version":3,"faults":["no file"],"differences":[{"key":"k","value":"1","wanted":"2"}]},{"node":"b","version":4,"faults":[],"differences":[]},{"node":"c","error":"gone"}],"disagreements":[{"key":"x","values":{"a":"1","b":"2"}}]}}""");
        Assert.Equal("node\tname\tvalue\na\tx.count\t1\na\tx.max\t2\nb\tx.count\t3\n", (await api.RunAsync("broker", "stats")).Out);
        Assert.Equal("node\tname\tdescription\tactive\na\tm\td\ttrue\n", (await api.RunAsync("modules", "list")).Out);
        Assert.Equal("node\tkey\tvalue\twanted\tfault\na\tk\t1\t2\t\na\t\t\t\tno file\nc\t\t\t\tgone\na\tx\t1\t\t\nb\tx\t2\t\t\n", (await api.RunAsync("config", "drift")).Out);
    }

    [Fact]
    public async Task SettingsAreThoseThatBeginSo_WhenOneIsNamed()
    {
        api.Answer("GET /api/v5/configuration", """{"code":0,"data":{"version":7,"settings":[{"key":"Mqtt:MaxInflight","value":"32","source":"file"},{"key":"Mqtt:MaxInflightX","value":"1","source":"default"}]}}""");
        Assert.Equal("key\tvalue\tsource\nMqtt:MaxInflight\t32\tfile\n", (await api.RunAsync("config", "get", "mqtt:MaxInflight")).Out);
        Assert.Equal(3, (await api.RunAsync("config", "get", "Mqtt")).Lines.Length);
        Assert.Equal(1, (await api.RunAsync("config", "get", "Nothing")).Code);
    }

    [Fact]
    public async Task FaultIsTold_WhenTheOutputCannotBeWritten()
    {
        await using var full = new StreamWriter(new FullDisk());
        using var error = new StringWriter();
        Assert.Equal(2, await CtlProgram.RunAsync(["completion", "bash"], new CtlConsole(full, error, () => new MemoryStream(), false, _ => null)));
        Assert.Equal("full\n", error.ToString());
    }

    [Fact]
    public async Task LevelsAreShownByCategory_AndThePrimaryOneAlone()
    {
        api.Answer("GET /api/v5/configuration?section=Logging", """{"code":0,"data":{"version":7,"settings":[{"key":"Logging:LogLevel:Default","value":"Debug","source":"cluster"},{"key":"Logging:LogLevel:Orleans","value":"Error","source":"start"}]}}""");
        Assert.Equal("category\tlevel\tsource\nDefault\tDebug\tcluster\nOrleans\tError\tstart\n", (await api.RunAsync("log", "list")).Out);
        Assert.Equal("Debug\n", (await api.RunAsync("log", "primary-level")).Out);
        Assert.Equal(2, (await api.RunAsync("log", "set-level", "loud")).Code);
        Assert.Equal(2, (await api.RunAsync("listeners", "stop", "http:management")).Code);
    }

    [Fact]
    public async Task TablesHaveNoMarkup_AndFitAll_WhenSomebodyLooks()
    {
        api.Answer("GET /api/v4/users", """{"code":0,"data":[{"username":"me","tags":"[bold]boss"}]}""");
        var outcome = await Ctl.RunAsync([], ["admins", "list", "--url", api.Url], isTerminal: true);
        Assert.Contains("[bold]boss", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("╭", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ColumnsThatDoNotFitAreNamed_WhenSomebodyLooks()
    {
        var name = new string('n', 50);
        api.Answer("GET /api/v4/subscriptions/c", $$"""{"code":0,"data":[{"clientid":"c","topic":"{{name}}","qos":1,"node":"{{name}}"}]}""");
        var outcome = await Ctl.RunAsync([], ["subscriptions", "show", "c", "--url", api.Url], isTerminal: true);
        Assert.Contains(name, outcome.Out, StringComparison.Ordinal);
        Assert.Contains("Too wide for this terminal: node", outcome.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"code":112,"message":"not_found"}""", 200, "not_found (code 112)")]
    [InlineData("""{"message":"already_existed"}""", 200, "already_existed")]
    [InlineData("""{"code":400}""", 200, "{\"code\":400}")]
    [InlineData("<html>", 200, "no JSON")]
    [InlineData("UNAUTHORIZED", 401, "does not accept admin")]
    [InlineData("Not found.", 404, "no such thing")]
    [InlineData("", 429, "wait a minute")]
    [InlineData("not a member", 503, "not ready: not a member")]
    [InlineData("Internal Error", 500, "500 Internal Error")]
    public async Task RefusalIsTold_WithExitCode1(string answer, int status, string told)
    {
        api.Answer("DELETE /api/v4/clients/c", answer, status);
        var outcome = await api.RunAsync("clients", "kick", "c");
        Assert.Equal((1, ""), (outcome.Code, outcome.Out));
        Assert.Contains(told, outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"code":0,"data":[]}""")]
    [InlineData("""{"code":0,"data":{}}""")]
    public async Task NothingIsRefused_WhenOneWasAskedFor(string answer)
    {
        api.Answer("GET /api/v4/clients/c", answer);
        Assert.Equal((1, "Not found.\n"), ((await api.RunAsync("clients", "show", "c")) is var outcome ? outcome.Code : 0, outcome.Error));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("clients")]
    [InlineData("clients kick")]
    [InlineData("clients kick a b")]
    [InlineData("clients list --nothing")]
    [InlineData("subscriptions add c t 3")]
    [InlineData("banned add ip 1.2.3.4")]
    [InlineData("banned add clientid c --until soon")]
    [InlineData("clients list --limit many")]
    [InlineData("--timeout never clients list")]
    [InlineData("--url ftp://x clients list")]
    [InlineData("bench pub")]
    [InlineData("bench pub -t t -q 3")]
    [InlineData("bench sub -t t -c 0")]
    [InlineData("bench conn --ifaddr here")]
    public async Task UsageIsWrong_WithExitCode2(string command)
    {
        var outcome = await Ctl.RunAsync(command.Split(' '));
        Assert.Equal((2, ""), (outcome.Code, outcome.Out));
        Assert.NotEqual("", outcome.Error);
    }

    [Fact]
    public async Task BrokerIsNotReached_WithExitCode3()
    {
        using (var gone = new ScriptedApi()) await gone.RunAsync("nodes", "list");
        var outcome = await Ctl.RunAsync("--url", "http://127.0.0.1:1", "clients", "list");
        Assert.Equal(3, outcome.Code);
        Assert.StartsWith("Cannot reach http://127.0.0.1:1/", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FilesComeAndGo()
    {
        var folder = Directory.CreateTempSubdirectory("broker-ctl-").FullName;
        try
        {
            var path = Path.Combine(folder, "e.json");
            api.Answer("POST /api/v4/data/export", """{"code":0,"data":{"filename":"e.json","size":2,"created_at":"2026-1-2 3:4:5","node":"n"}}""");
            api.Answer("GET /api/v4/data/file/e.json", """{"filename":"e.json","file":"{\"version\":\"4.2\"}"}""");
            api.Answer("GET /api/v4/data/file/none", """{"message":"enoent"}""");
            api.Answer("GET /api/v4/trace/t/download", [0x50, 0x4B, 3, 4, 0xFF]);
            api.Answer("GET /api/v4/trace/none/download", """{"message":"not_found"}""");
            Assert.Equal(0, (await api.RunAsync("data", "export", "--output", path)).Code);
            Assert.Equal("""{"version":"4.2"}""", await File.ReadAllTextAsync(path));
            Assert.Equal("{\"version\":\"4.2\"}\n", (await api.RunAsync("data", "download", "e.json", "--output", "-")).Out);
            Assert.Equal((1, "enoent\n"), ((await api.RunAsync("data", "download", "none")) is var outcome ? outcome.Code : 0, outcome.Error));
            api.TakeCalls();
            Assert.Equal(0, (await api.RunAsync("data", "import", path, "--env", """{"auth.mnesia.as":"username"}""")).Code);
            Assert.Equal("""{"version":"4.2","auth.mnesia.as":"username"}""", Assert.Single(api.TakeCalls()).Body);
            Assert.Equal(2, (await api.RunAsync("data", "import", path, "--env", "nothing")).Code);
            Assert.Equal(0, (await api.RunAsync("data", "upload", path)).Code);
            Assert.Equal("""{"filename":"e.json","file":"{\"version\":\"4.2\"}"}""", Assert.Single(api.TakeCalls()).Body);
            var archive = Path.Combine(folder, "t.zip");
            Assert.Equal(0, (await api.RunAsync("trace", "download", "t", "--output", archive)).Code);
            Assert.Equal([0x50, 0x4B, 3, 4, 0xFF], await File.ReadAllBytesAsync(archive));
            Assert.Equal(1, (await api.RunAsync("trace", "download", "none", "--output", archive)).Code);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class FullDisk : MemoryStream
    {
        private bool isTold;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (isTold) return ValueTask.CompletedTask; // when it is disposed
            isTold = true;
            throw new IOException("full");
        }
    }
}
