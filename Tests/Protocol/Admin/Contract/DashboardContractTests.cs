using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>`/apps`, `/auth`, `/users` and `/change_pwd`, on the dashboard's port.</summary>
public sealed class DashboardContractTests(ContractBroker broker) : ContractSuite(broker)
{
    private const string AppMembers = "app_id:string name:string desc:string status:bool expired:string";

    [Fact]
    public async Task ApplicationsHaveAllFields()
    {
        var made = await Dashboard.SucceedAsync("POST", "/apps", """{"app_id":"con_1","name":"n","desc":"d","status":true}""");
        Shape.Check("secret:string", made);
        Assert.Matches("^[0-9A-Za-z]{16,}$", made.GetProperty("secret").GetString());
        Assert.Equal("""{"secret":"given"}""", (await Dashboard.SucceedAsync("POST", "/apps", """{"app_id":"con_2","secret":"given","expired":4000000000}""")).GetRawText());
        await ExpectOnDashboardAsync("""{"message":"already_existed"}""", "POST", "/apps", """{"app_id":"con_1"}""");
        foreach (var id in new[] { "", "a b", "_x", new string('x', 257) }) Assert.False((await Dashboard.CallAsync("POST", "/apps", $$"""{"app_id":"{{id}}"}""")).TryGetProperty("code", out _));
        var rows = (await Dashboard.SucceedAsync("GET", "/apps")).EnumerateArray().ToDictionary(row => row.GetProperty("app_id").GetString()!);
        Shape.Check(AppMembers, rows["con_1"]);
        Assert.Equal("""{"app_id":"con_1","name":"n","desc":"d","status":true,"expired":"undefined"}""", rows["con_1"].GetRawText());
        Assert.Equal(4_000_000_000L, rows["con_2"].GetProperty("expired").GetInt64());
        Shape.Check($"{AppMembers} secret:string", await Dashboard.SucceedAsync("GET", "/apps/con_1"));
        await ExpectOnDashboardAsync("""{"code":0,"data":{}}""", "GET", "/apps/none");
        await ExpectOnDashboardAsync("""{"code":0}""", "PUT", "/apps/con_1", """{"name":"m","desc":"e","status":false,"expired":5000000000}""");
        Assert.Equal("""{"app_id":"con_1","name":"m","desc":"e","status":false,"expired":5000000000,"secret":""}""", (await Dashboard.SucceedAsync("GET", "/apps/con_1")).GetRawText());
        foreach (var never in new[] { "\"undefined\"", "null" })
        {
            await ExpectOnDashboardAsync("""{"code":0}""", "PUT", "/apps/con_2", $$"""{"expired":{{never}}}""");
            Assert.Equal("undefined", (await Dashboard.SucceedAsync("GET", "/apps/con_2")).GetProperty("expired").GetString());
            await ExpectOnDashboardAsync("""{"code":0}""", "PUT", "/apps/con_2", """{"expired":4000000000}""");
        }

        await ExpectOnDashboardAsync("""{"code":0}""", "PUT", "/apps/con_2", """{"name":"n"}"""); // and what is not said stays
        Assert.Equal(4_000_000_000L, (await Dashboard.SucceedAsync("GET", "/apps/con_2")).GetProperty("expired").GetInt64());
        // No secret is none, and not one that everybody guesses.
        Assert.Matches("^[0-9A-Za-z]{16,}$", (await Dashboard.SucceedAsync("POST", "/apps", """{"app_id":"con_3","secret":""}""")).GetProperty("secret").GetString());
        await ExpectOnDashboardAsync("""{"message":"not_found"}""", "PUT", "/apps/none", """{"name":"m"}""");
        foreach (var id in new[] { "con_1", "con_2", "con_3", "none" }) await ExpectOnDashboardAsync("""{"code":0}""", "DELETE", $"/apps/{id}");
    }

    [Fact]
    public async Task UsersHaveAllFields()
    {
        await ExpectOnDashboardAsync("""{"code":0}""", "POST", "/users", """{"username":"con","password":"first","tags":"t"}""");
        await ExpectOnDashboardAsync("""{"message":"Username Already Exist"}""", "POST", "/users", """{"username":"con","password":"p","tags":"t"}""");
        foreach (var body in new[] { """{"username":"x"}""", """{"password":"x"}""", "{}" }) await ExpectOnDashboardAsync("""{"message":"Username or password undefined"}""", "POST", "/users", body);
        foreach (var row in (await Dashboard.SucceedAsync("GET", "/users")).EnumerateArray()) Shape.Check("username:string tags:string", row);
        await ExpectOnDashboardAsync("""{"code":0}""", "PUT", "/users/con", """{"tags":"u"}""");
        await ExpectOnDashboardAsync("""{"message":"Username Not Found"}""", "PUT", "/users/none", """{"tags":"u"}""");
        await ExpectOnDashboardAsync("""{"code":0}""", "POST", "/auth", """{"username":"con","password":"first"}""");
        await ExpectOnDashboardAsync("""{"message":"Username/Password error"}""", "POST", "/auth", """{"username":"none","password":"first"}""");
        await ExpectOnDashboardAsync("""{"message":"Username undefined"}""", "POST", "/auth", """{"password":"first"}""");
        await ExpectOnDashboardAsync("""{"message":"Password undefined"}""", "POST", "/auth", """{"username":"con"}""");
        await ExpectOnDashboardAsync("""{"code":0}""", "PUT", "/change_pwd/con", """{"old_pwd":"first","new_pwd":"second"}""");
        await ExpectOnDashboardAsync("""{"code":0}""", "POST", "/auth", """{"username":"con","password":"second"}""");
        await ExpectOnDashboardAsync("""{"message":"Cannot delete admin"}""", "DELETE", "/users/admin");
        foreach (var name in new[] { "con", "none" }) await ExpectOnDashboardAsync("""{"code":0}""", "DELETE", $"/users/{name}");
    }

    private Task ExpectOnDashboardAsync(string answer, string method, string path, string? body = null) => ExpectAsync(Dashboard, answer, method, path, body);
}
