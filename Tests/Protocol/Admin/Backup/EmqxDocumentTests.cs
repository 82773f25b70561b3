using Broker.Gateway.Admin;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Unit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Backup;

/// <summary>Documents as EMQ X 4.0, 4.2 and 4.3 export them: their passwords, rules, bans, applications and users work here.</summary>
public sealed class EmqxDocumentTests
{
    private static readonly string Folder = Path.Combine(SourceTree.Root, "Tests", "Protocol", "Admin", "Backup", "Documents");

    [Fact]
    public async Task Emqx40()
    {
        await using var broker = await ImportAsync("emqx-4.0.json");
        Assert.Equal(ReasonCode.Success, await broker.LogInAsync("any", "pump", "pump-40"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await broker.LogInAsync("any", "pump", "pump-41"));
        Assert.Equal(ReasonCode.Success, await broker.LogInAsync("valve/40", null, "valve-40"));
        Assert.Equal(ReasonCode.Banned, await broker.LogInAsync("bad-client", "pump", "pump-40"));
        var bans = (await broker.Api.SucceedAsync("GET", "/banned")).EnumerateArray().Select(row => (row.GetProperty("as").GetString(), row.GetProperty("who").GetString(), row.GetProperty("until").GetInt64()));
        Assert.Equal([("clientid", "bad-client", 4_102_444_800L), ("peerhost", "10.9.8.7", 4_102_444_800L)], bans.Order());
        using var reader = new ApiClient(broker.Broker, "reader:read-me");
        await reader.SucceedAsync("GET", "/stats");
        using var night = ApiClient.OfDashboard(broker.Broker, "night:owl");
        Assert.Equal(4_102_444_800L, (await night.SucceedAsync("GET", "/apps/reader")).GetProperty("expired").GetInt64());
        using var admin = ApiClient.OfDashboard(broker.Broker);
        await admin.SucceedAsync("GET", "/users");
        // The secrets that everybody knows are let in from this machine alone, wherever they come from.
        Assert.True(broker.Broker.Services.GetRequiredService<DashboardUserTable>().Find("admin")!.Value.IsPreset);
        Assert.False(broker.Broker.Services.GetRequiredService<DashboardUserTable>().Find("night")!.Value.IsPreset);
        Assert.True(broker.Broker.Services.GetRequiredService<AppTable>().Find("admin")!.Value.IsPreset);
        // What came with hashes of EMQ X's goes back to it with them.
        var document = await broker.ExportAsync();
        var source = File.ReadAllText(Path.Combine(Folder, "emqx-4.0.json"));
        foreach (var member in new[] { "users", "auth_mnesia" })
        {
            foreach (var row in document.GetProperty(member).EnumerateArray()) Assert.Contains(row.GetProperty("password").GetString()!, source, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Emqx42()
    {
        await using var broker = await ImportAsync("emqx-4.2.json");
        foreach (var (login, password) in new[] { ("valve/42", "valve-42"), ("meter/42", "meter-42"), ("gauge42", "gauge-42"), ("tank/42", "tank-42"), ("plain/42", "in the clear") })
        {
            Assert.Equal((ReasonCode.Success, ReasonCode.BadUserNameOrPassword), (await broker.LogInAsync(login, null, password), await broker.LogInAsync(login, null, password + "x")));
        }

        Assert.DoesNotContain("in the clear", (await broker.ExportAsync()).GetRawText(), StringComparison.Ordinal); // it is hashed now
        Assert.Equal((true, true), await broker.MayAsync("meter/42", null, "meter-42", "anything")); // a superuser
        Assert.Equal((false, true), await broker.MayAsync("gauge42", null, "gauge-42", "t/gauge42"));
        Assert.Equal((true, false), await broker.MayAsync("tank/42", null, "tank-42", "t/tank"));
        Assert.Equal((true, false), await broker.MayAsync("gauge42", null, "gauge-42", "open/x"));
        using var off = new ApiClient(broker.Broker, "off:never");
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await off.SendAsync("GET", "/stats")).Status);
        using var admin = ApiClient.OfDashboard(broker.Broker, "admin:day");
        await admin.SucceedAsync("GET", "/users");
    }

    [Fact]
    public async Task Emqx43()
    {
        await using var broker = await ImportAsync("emqx-4.3.json", """{"code":0,"data":{"ignored":["modules"]}}""");
        Assert.Equal(ReasonCode.Success, await broker.LogInAsync("pump/43", null, "pump-43"));
        Assert.Equal(ReasonCode.Success, await broker.LogInAsync("any", "clear", "secret words"));
        Assert.Equal((true, true), await broker.MayAsync("any", "anna", "anna-43", "secret/own"));
        Assert.Equal((true, false), await broker.MayAsync("any", "anna", "anna-43", "secret/other"));
        Assert.Equal((true, true), await broker.MayAsync("any", "anna", "anna-43", "news/1"));
        Assert.Equal(ReasonCode.Banned, await broker.LogInAsync("any", "rude", "x"));
        using var admin = ApiClient.OfDashboard(broker.Broker, "admin:changed");
        await admin.SucceedAsync("GET", "/users");
        using var app = new ApiClient(broker.Broker, "admin:changed-43");
        var user = await app.SucceedAsync("GET", "/auth_clientid/pump%2F43");
        Assert.Equal(1_653_360_665_243, user.GetProperty("created_at").GetInt64());
    }

    [Theory]
    [InlineData("username")]
    [InlineData("clientid")]
    public async Task LoginIsWhatTheCallSays_WhenTheDocumentDoesNot(string kind)
    {
        await using var broker = await Restored.StartAsync();
        const string document = """{"version":"4.1","auth_mnesia":[{"login":"me","password":"cGxhaW4=","is_superuser":true}],"acl_mnesia":[]}""";
        var refused = await broker.Api.CallAsync("POST", "/data/import", document);
        Assert.Equal("import_failed", refused.GetProperty("message").GetString());
        Assert.Contains("auth.mnesia.as", refused.GetProperty("reason").GetString(), StringComparison.Ordinal);
        await broker.Api.SucceedAsync("POST", $"/data/import?auth.mnesia.as={kind}", document);
        Assert.Equal("me", (await broker.Api.SucceedAsync("GET", $"/auth_{kind}/me")).GetProperty(kind).GetString());
        Assert.Equal(ReasonCode.Success, kind == "username" ? await broker.LogInAsync("x", "me", "plain") : await broker.LogInAsync("me", null, "plain"));
    }

    private static async Task<Restored> ImportAsync(string document, string answer = """{"code":0}""")
    {
        var broker = await Restored.StartAsync();
        Assert.Equal(answer, (await broker.Api.CallAsync("POST", "/data/import", await File.ReadAllTextAsync(Path.Combine(Folder, document)))).GetRawText());
        return broker;
    }
}
