using System.Text.RegularExpressions;
using Broker.Gateway.Cli;
using Broker.Gateway.Cli.Commands;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Cli;

/// <summary>Which call each command is.</summary>
public sealed class CommandTests : IDisposable
{
    private const string Nodes = """{"code":0,"data":[{"node":"a@h","node_status":"Running"},{"node":"b@h","node_status":"Running"},{"node":"c@h","node_status":"Stopped"}]}""";

    private readonly ScriptedApi api = new();

    public void Dispose() => api.Dispose();

    [Theory]
    [InlineData("broker", "GET /api/v4/brokers")]
    [InlineData("broker stats", "GET /api/v4/stats")]
    [InlineData("broker metrics --node a@h", "GET /api/v4/nodes/a%40h/metrics")]
    [InlineData("cluster status", "GET /api/v4/nodes")]
    [InlineData("nodes list", "GET /api/v4/nodes")]
    [InlineData("vm load", "GET /api/v4/nodes")]
    [InlineData("vm ports", "GET /api/v4/nodes")]
    [InlineData("listeners", "GET /api/v4/listeners")]
    [InlineData("listeners list", "GET /api/v4/listeners")]
    [InlineData("listeners restart mqtt:tcp:external", "PUT /api/v4/listeners/mqtt%3Atcp%3Aexternal/restart")]
    [InlineData("listeners restart x --node a@h", "PUT /api/v4/nodes/a%40h/listeners/x/restart")]
    [InlineData("plugins list", "GET /api/v4/plugins")]
    [InlineData("plugins reload p --node a@h", "PUT /api/v4/nodes/a%40h/plugins/p/reload")]
    [InlineData("modules list", "GET /api/v4/modules")]
    [InlineData("modules load emqx_mod_delayed", "PUT /api/v4/modules/emqx_mod_delayed/load")]
    [InlineData("clients list", "GET /api/v4/clients?_page=1&_limit=1000")]
    [InlineData("clients list --limit 7 --username u&v --like a/b --state connected --ip 1.2.3.4", "GET /api/v4/clients?username=u%26v&_like_clientid=a%2Fb&ip_address=1.2.3.4&conn_state=connected&_page=1&_limit=7")]
    [InlineData("clients list --node a@h", "GET /api/v4/nodes/a%40h/clients?_page=1&_limit=1000")]
    [InlineData("clients show a/b", "GET /api/v4/clients/a%2Fb")]
    [InlineData("clients kick a/b?c", "DELETE /api/v4/clients/a%2Fb%3Fc")]
    [InlineData("clients history c", "GET /api/v5/clients/c/history")]
    [InlineData("routes list", "GET /api/v4/routes?_page=1&_limit=1000")]
    [InlineData("routes show a/+/#", "GET /api/v4/routes/a%2F%2B%2F%23")]
    [InlineData("subscriptions list --match a/b --qos 1 --share g", "GET /api/v4/subscriptions?_match_topic=a%2Fb&qos=1&share=g&_page=1&_limit=1000")]
    [InlineData("subscriptions show c", "GET /api/v4/subscriptions/c")]
    [InlineData("subscriptions add c a/# 1", """POST /api/v4/mqtt/subscribe {"clientid":"c","topic":"a/#","qos":1}""")]
    [InlineData("subscriptions del c a/#", """POST /api/v4/mqtt/unsubscribe {"clientid":"c","topic":"a/#"}""")]
    [InlineData("explain publish a/b --client c --qos 2", "GET /api/v5/explain/publish?topic=a%2Fb&client=c&qos=2")]
    [InlineData("banned list", "GET /api/v4/banned?_page=1&_limit=1000")]
    [InlineData("banned add clientid c --reason why --until 99", """POST /api/v4/banned {"as":"clientid","who":"c","reason":"why","until":99}""")]
    [InlineData("banned del peerhost 1.2.3.4", "DELETE /api/v4/banned/peerhost/1.2.3.4")]
    [InlineData("publish a/b hello --qos 1 --retain --clientid me", """POST /api/v4/mqtt/publish {"topic":"a/b","payload":"hello","encoding":"plain","qos":1,"retain":true,"clientid":"me"}""")]
    [InlineData("publish a aGk= --base64", """POST /api/v4/mqtt/publish {"topic":"a","payload":"aGk=","encoding":"base64","qos":0,"retain":false}""")]
    [InlineData("retainer info", "GET /api/v4/mqtt/retainer")]
    [InlineData("retainer topics", "GET /api/v4/mqtt/retainer/messages?_page=1&_limit=1000")]
    [InlineData("retainer topics a/#", "GET /api/v4/mqtt/retainer/messages?_match_topic=a%2F%23&_page=1&_limit=1000")]
    [InlineData("retainer clean", "DELETE /api/v4/mqtt/retainer/messages?_match_topic=%23")]
    [InlineData("retainer clean a/+", "DELETE /api/v4/mqtt/retainer/messages?_match_topic=a%2F%2B")]
    [InlineData("retainer clean a/b", "DELETE /api/v4/mqtt/retainer/message/a%2Fb")]
    [InlineData("delayed list", "GET /api/v4/mqtt/delayed/messages?_page=1&_limit=1000")]
    [InlineData("delayed show 1f", "GET /api/v4/mqtt/delayed/messages/1f")]
    [InlineData("delayed delete 1f", "DELETE /api/v4/mqtt/delayed/messages/1f")]
    [InlineData("topic-metrics list", "GET /api/v4/topic-metrics")]
    [InlineData("topic-metrics add a/b", """POST /api/v4/topic-metrics {"topic":"a/b"}""")]
    [InlineData("topic-metrics del a/b", "DELETE /api/v4/topic-metrics/a%2Fb")]
    [InlineData("slow-subs list", "GET /api/v4/slow_subscriptions")]
    [InlineData("slow-subs clear", "DELETE /api/v4/slow_subscriptions")]
    [InlineData("acl list clientid", "GET /api/v4/acl/clientid?_page=1&_limit=1000")]
    [InlineData("acl list _all", "GET /api/v4/acl/$all?_page=1&_limit=1000")]
    [InlineData("acl show username u", "GET /api/v4/acl/username/u")]
    [InlineData("acl add clientid c t/# pub deny", """POST /api/v4/acl {"clientid":"c","topic":"t/#","action":"pub","access":"deny"}""")]
    [InlineData("acl add _all t pubsub allow", """POST /api/v4/acl {"topic":"t","action":"pubsub","access":"allow"}""")]
    [InlineData("acl del username u t/#", "DELETE /api/v4/acl/username/u/topic/t%2F%23")]
    [InlineData("acl delete _all t", "DELETE /api/v4/acl/$all/topic/t")]
    [InlineData("acl cache-clean all", "DELETE /api/v4/acl-cache")]
    [InlineData("acl cache-clean node a@h", "DELETE /api/v4/nodes/a%40h/acl-cache")]
    [InlineData("acl cache-clean client c", "DELETE /api/v4/clients/c/acl_cache")]
    [InlineData("acl cache-clean c", "DELETE /api/v4/clients/c/acl_cache")]
    [InlineData("clientid list", "GET /api/v4/auth_clientid?_page=1&_limit=1000")]
    [InlineData("clientid add c p", """POST /api/v4/auth_clientid {"clientid":"c","password":"p"}""")]
    [InlineData("user update u p", """PUT /api/v4/auth_username/u {"password":"p"}""")]
    [InlineData("user delete u", "DELETE /api/v4/auth_username/u")]
    [InlineData("sasl scram add u p s 8192", """POST /api/v4/sasl {"mechanism":"SCRAM-SHA-1","username":"u","password":"p","salt":"s","iteration_count":8192}""")]
    [InlineData("sasl scram update u p s", """PUT /api/v4/sasl {"mechanism":"SCRAM-SHA-1","username":"u","password":"p","salt":"s"}""")]
    [InlineData("sasl scram lookup u", "GET /api/v4/sasl?mechanism=SCRAM-SHA-1&username=u")]
    [InlineData("sasl scram delete u", "DELETE /api/v4/sasl?mechanism=SCRAM-SHA-1&username=u")]
    [InlineData("mgmt list", "GET /api/v4/apps")]
    [InlineData("mgmt insert a name --expired 99", """POST /api/v4/apps {"app_id":"a","name":"name","expired":99}""")]
    [InlineData("mgmt lookup a", "GET /api/v4/apps/a")]
    [InlineData("mgmt update a false", """PUT /api/v4/apps/a {"status":false}""")]
    [InlineData("mgmt delete a", "DELETE /api/v4/apps/a")]
    [InlineData("admins list", "GET /api/v4/users")]
    [InlineData("admins add u p boss", """POST /api/v4/users {"username":"u","password":"p","tags":"boss"}""")]
    [InlineData("admins passwd admin new", """PUT /api/v4/change_pwd/admin {"old_pwd":"public","new_pwd":"new"}""")]
    [InlineData("admins passwd other new --old was", """PUT /api/v4/change_pwd/other {"old_pwd":"was","new_pwd":"new"}""")]
    [InlineData("admins del u", "DELETE /api/v4/users/u")]
    [InlineData("alarms list", "GET /api/v4/alarms")]
    [InlineData("alarms list activated --node a@h", "GET /api/v4/nodes/a%40h/alarms/activated")]
    [InlineData("alarms deactivate x --node a@h", """POST /api/v4/alarms/deactivated {"node":"a@h","name":"x"}""")]
    [InlineData("alarms clear", "DELETE /api/v4/alarms/deactivated")]
    [InlineData("audit list", "GET /api/v5/audit?_page=1&_limit=1000")]
    [InlineData("data list", "GET /api/v4/data/export")]
    [InlineData("data import away.json", """POST /api/v4/data/import {"filename":"away.json"}""")]
    [InlineData("data delete f.json", "DELETE /api/v4/data/file/f.json")]
    [InlineData("trace list", "GET /api/v4/trace")]
    [InlineData("trace start client c mine", """POST /api/v4/trace {"name":"mine","type":"clientid","clientid":"c"}""")]
    [InlineData("trace start topic t/# mine --end-at 2030-01-01T00:00:00Z", """POST /api/v4/trace {"name":"mine","type":"topic","topic":"t/#","end_at":"2030-01-01T00:00:00Z"}""")]
    [InlineData("trace stop mine", "PUT /api/v4/trace/mine/stop")]
    [InlineData("trace delete mine", "DELETE /api/v4/trace/mine")]
    [InlineData("log primary-level notice", """PUT /api/v5/configuration {"Logging:LogLevel:Default":"Information"}""")]
    [InlineData("log set-level debug", """PUT /api/v5/configuration {"Logging:LogLevel:Default":"Debug"}""")]
    [InlineData("log set-level emergency --category Broker.Gateway", """PUT /api/v5/configuration {"Logging:LogLevel:Broker.Gateway":"Critical"}""")]
    [InlineData("log unset-level --category Broker.Gateway", """PUT /api/v5/configuration {"Logging:LogLevel:Broker.Gateway":null}""")]
    [InlineData("config set Mqtt:MaxInflight 64", """PUT /api/v5/configuration {"Mqtt:MaxInflight":"64"}""")]
    [InlineData("config unset Mqtt:MaxInflight", """PUT /api/v5/configuration {"Mqtt:MaxInflight":null}""")]
    public async Task IsThisCall_WhenGiven(string command, string call)
    {
        var outcome = await api.RunAsync(command.Split(' '));
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        var made = Assert.Single(api.TakeCalls());
        Assert.Equal(call, $"{made.Method} {made.Path} {made.Body}".Trim());
    }

    [Fact]
    public async Task EachRunningNodeIsTold_UnlessOneIsNamed()
    {
        api.Answer("GET /api/v4/nodes", Nodes);
        Assert.Equal(0, (await api.RunAsync("plugins", "load", "p")).Code);
        Assert.Equal(["/api/v4/nodes", "/api/v4/nodes/a%40h/plugins/p/load", "/api/v4/nodes/b%40h/plugins/p/load"], api.TakeCalls().Select(call => call.Path));
    }

    [Theory]
    [InlineData("stop", "mqtt:tcp:external", "false")]
    [InlineData("start", "external", "true")]
    public async Task ListenerIsTurnedByItsName_IfThereIsOne(string action, string identifier, string value)
    {
        const string Read = "GET /api/v5/configuration?section=Listeners%3Aexternal";
        api.Answer(Read, """{"code":0,"data":{"version":1,"settings":[{"key":"Listeners:external:Enabled","value":"true","source":"start"}]}}""");
        Assert.Equal(0, (await api.RunAsync("listeners", action, identifier)).Code);
        Assert.Equal($$"""{"Listeners:external:Enabled":"{{value}}"}""", api.TakeCalls().Last().Body);
        api.Answer(Read, """{"code":0,"data":{"version":1,"settings":[]}}""");
        Assert.Equal(1, (await api.RunAsync("listeners", action, identifier)).Code);
        Assert.Single(api.TakeCalls());
    }

    [Fact]
    public async Task AlarmEndsOnAllNodesThatHaveIt_UnlessOneIsNamed()
    {
        api.Answer("GET /api/v4/alarms/activated", """{"code":0,"data":[{"node":"a","alarms":[{"name":"x"},{"name":"y"}]},{"node":"b","alarms":[{"name":"y"}]},{"node":"c","alarms":[{"name":"x"}]}]}""");
        Assert.Equal(0, (await api.RunAsync("alarms", "deactivate", "x")).Code);
        Assert.Equal(["", """{"node":"a","name":"x"}""", """{"node":"c","name":"x"}"""], api.TakeCalls().Select(call => call.Body));
        Assert.Equal(1, (await api.RunAsync("alarms", "deactivate", "z")).Code);
    }

    [Fact]
    public async Task TraceIsStoppedByWhoseItIs_AsEmqxCtlDoes()
    {
        api.Answer("GET /api/v4/trace", """{"code":0,"data":[{"name":"one","type":"clientid","clientid":"c"},{"name":"two","type":"topic","topic":"c"}]}""");
        Assert.Equal(0, (await api.RunAsync("trace", "stop", "client", "c")).Code);
        Assert.Equal(["/api/v4/trace", "/api/v4/trace/one/stop"], api.TakeCalls().Select(call => call.Path));
    }

    [Fact]
    public async Task BytesOfStandardInputArePublished_WhenThePayloadIsADash()
    {
        var outcome = await Ctl.RunAsync([], ["publish", "t", "-", "--url", api.Url], input: [0, 255, 10]);
        Assert.Equal(0, outcome.Code);
        Assert.Contains("\"payload\":\"AP8K\",\"encoding\":\"base64\"", Assert.Single(api.TakeCalls()).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cluster join x", 2, "naming the cluster's database")]
    [InlineData("cluster leave", 2, "naming the cluster's database")]
    [InlineData("telemetry enable", 1, "Nothing is sent, ever")]
    [InlineData("clients kick ..", 2, "cannot be named")]
    [InlineData("admins passwd other new", 2, "--old is missing")]
    [InlineData("data import away.json --env {}", 2, "there is no away.json")]
    public async Task NothingIsCalled_WhenItCannotBeDone(string command, int code, string why)
    {
        var outcome = await api.RunAsync(command.Split(' '));
        Assert.Equal(code, outcome.Code);
        Assert.Contains(why, outcome.Error, StringComparison.Ordinal);
        Assert.Empty(api.TakeCalls());
    }

    [Fact]
    public async Task TelemetrySaysThatNothingIsSent() => Assert.Equal("Nothing is sent, ever: this broker has no telemetry.", Assert.Single(await Ctl.SucceedAsync("telemetry", "get", "status")));

    /// <summary>A name that is written wrong in a table is never sent.</summary>
    [Fact]
    public void EveryArgumentOfACallIsInItsUsage()
    {
        foreach (var command in CommandTable.All.Where(command => command.Run is null))
        {
            var given = CommandUsage.Parse(command.Usage).Items.Select(item => item.Name).ToHashSet();
            var inPath = Regex.Matches(command.Path, @"\{(\w+)\}").Select(match => match.Groups[1].Value);
            var inBody = command.Body.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(item => !item.Contains('=', StringComparison.Ordinal)).Select(item => item.TrimEnd('#', '?').Split(':')[^1]);
            var used = inPath.Concat(inBody).ToHashSet();
            Assert.True(used.IsSubsetOf(given), $"{command.Usage}: {string.Join(' ', used.Except(given))}");
            Assert.True(given.IsSubsetOf(used.Append("limit")), $"{command.Usage}: {string.Join(' ', given.Except(used))} is not used");
            Assert.NotEqual("", command.Help);
        }
    }
}
