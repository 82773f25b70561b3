using System.Text.Json;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>`/data`: shapes, names and faults. What is in the documents is tested in the suites of the namespace Backup.</summary>
public sealed class DataContractTests(ContractBroker broker) : ContractSuite(broker)
{
    private const string FileMembers = "filename:string size:int created_at:string node:string";

    [Fact]
    public async Task DocumentIsWritten_Listed_Read_AndDeleted()
    {
        var file = await Api.SucceedAsync("POST", "/data/export");
        Shape.Check(FileMembers, file);
        var name = file.GetProperty("filename").GetString()!;
        Assert.Matches(@"^emqx-export-\d{4}-\d{1,2}-\d{1,2}-\d{1,2}-\d{1,2}-\d{1,2}(-\d+)?\.json$", name);
        Assert.Matches(@"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}$", file.GetProperty("created_at").GetString());
        var second = (await Api.SucceedAsync("POST", "/data/export")).GetProperty("filename").GetString()!;
        Assert.NotEqual(name, second);
        var listed = (await Api.SucceedAsync("GET", "/data/export")).EnumerateArray().ToArray();
        foreach (var one in listed) Shape.Check(FileMembers, one);
        Assert.Equal([name, second], listed.Select(one => one.GetProperty("filename").GetString()).Where(one => one == name || one == second));
        var content = await Api.CallAsync("GET", $"/data/file/{name}");
        Shape.Check("filename:string file:string", content);
        using var document = JsonDocument.Parse(content.GetProperty("file").GetString()!);
        Shape.Check("version:string date:time rules:array resources:array blacklist:array apps:array users:array auth_mnesia:array acl_mnesia:array records:array", document.RootElement);
        Assert.Equal("4.3", document.RootElement.GetProperty("version").GetString());
        foreach (var body in new[] { $$"""{"filename":"{{name}}"}""", $$"""{"filename":"{{name}}","node":"{{Node}}"}""", document.RootElement.GetRawText() }) await ExpectAsync("""{"code":0}""", "POST", "/data/import", body);
        await ExpectAsync("""{"message":"no_existent_node"}""", "POST", "/data/import", $$"""{"filename":"{{name}}","node":"nobody@127.0.0.1"}""");
        foreach (var one in new[] { name, second }) await ExpectAsync("""{"code":0}""", "DELETE", $"/data/file/{one}");
        foreach (var method in new[] { "GET", "DELETE" }) await ExpectAsync("""{"message":"enoent"}""", method, $"/data/file/{name}");
        await ExpectAsync("""{"message":"enoent"}""", "POST", "/data/import", $$"""{"filename":"{{name}}"}""");
    }

    [Fact]
    public async Task DocumentIsAdded()
    {
        await ExpectAsync($$$"""{"code":0,"data":{"node":"{{{Node}}}"}}""", "POST", "/data/file", """{"filename":"added.json","file":"{\"version\":\"4.3\"}"}""");
        await ExpectAsync("""{"filename":"added.json","file":"{\"version\":\"4.3\"}"}""", "GET", "/data/file/added.json");
        await ExpectAsync("""{"code":0}""", "POST", "/data/import", """{"filename":"added.json"}""");
        await ExpectAsync("""{"code":0}""", "DELETE", "/data/file/added.json");
        await ExpectAsync($$$"""{"code":0,"data":{"node":"{{{Node}}}"}}""", "POST", "/data/file", """{"file":"{}"}""");
        var unnamed = Assert.Single((await Api.SucceedAsync("GET", "/data/export")).EnumerateArray(), one => one.GetProperty("size").GetInt32() == 2).GetProperty("filename").GetString();
        await ExpectAsync("""{"code":0}""", "DELETE", $"/data/file/{unnamed}");
        await ExpectAsync("""{"message":"missing_required_params"}""", "POST", "/data/file", """{"filename":"added.json"}""");
        await ExpectAsync("""{"message":"bad_json"}""", "POST", "/data/file", """{"filename":"added.json","file":"{"}""");
    }

    [Theory]
    [InlineData("../broker.json")]
    [InlineData("..%2Fbroker.json")]
    [InlineData("a/b.json")]
    [InlineData("/etc/passwd")]
    [InlineData("broker.db")]
    [InlineData(".hidden.json")]
    [InlineData("a\\\\b.json")]
    [InlineData("a\\u0000.json")]
    [InlineData("")]
    public async Task NameIsRefused_WhenItMayLeadElsewhere(string name)
    {
        await ExpectAsync("""{"message":"bad_filename"}""", "POST", "/data/file", $$"""{"filename":"{{name}}","file":"{}"}""");
        await ExpectAsync("""{"message":"bad_filename"}""", "POST", "/data/import", $$"""{"filename":"{{name}}"}""");
        if (name.Length == 0 || name.Contains("\\u", StringComparison.Ordinal)) return;
        foreach (var method in new[] { "GET", "DELETE" }) await ExpectAsync("""{"message":"bad_filename"}""", method, $"/data/file/{Uri.EscapeDataString(name)}");
    }

    [Theory]
    [InlineData("{}", """{"message":"missing_required_params"}""")]
    [InlineData("[]", """{"message":"missing_required_params"}""")]
    [InlineData("""{"version":"3.1"}""", """{"code":108,"message":"unsupported_version: 3.1"}""")]
    [InlineData("""{"version":"5.0.1"}""", """{"code":108,"message":"unsupported_version: 5.0.1"}""")]
    [InlineData("""{"version":"dev"}""", """{"code":108,"message":"unsupported_version: dev"}""")]
    [InlineData("""{"version":"4.2.14"}""", """{"code":0}""")]
    [InlineData("""{"version":"4.3","rules":[{"id":"rule:1"}],"resources":[],"schemas":[{}]}""", """{"code":0,"data":{"ignored":["rules","schemas"]}}""")]
    [InlineData("""{"version":"4.3","apps":7}""", """{"message":"import_failed","reason":"apps: no list"}""")]
    [InlineData("""{"version":"4.3","apps":[7]}""", """{"message":"import_failed","reason":"apps[0]: no object"}""")]
    public Task DocumentIsRefused_WhenItIsNone(string body, string answer) => ExpectAsync(answer, "POST", "/data/import", body);
}
