using System.Text.Json;
using Broker.Gateway.Admin.Audit;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Admin.Audit;

public class RedactionTests
{
    [Theory]
    [InlineData("""{"username":"ann","password":"p"}""", """{"username":"ann","password":"***"}""")]
    [InlineData("""{"old_pwd":"a","new_pwd":"b"}""", """{"old_pwd":"***","new_pwd":"***"}""")]
    [InlineData("""{"secret":{"deep":1},"app_id":"x"}""", """{"secret":"***","app_id":"x"}""")]
    [InlineData("""[{"config":{"Password":"p","server":"s","list":[{"access_token":"t","n":1}]}}]""", """[{"config":{"Password":"***","server":"s","list":[{"access_token":"***","n":1}]}}]""")]
    [InlineData("""{"filename":"a.json","file":"{\"secret\":1}"}""", """{"filename":"a.json","file":"***"}""")]
    [InlineData("""{"secret":null,"a":1.50,"b":true,"c":"ü"}""", """{"secret":null,"a":1.50,"b":true,"c":"\u00FC"}""")]
    [InlineData("""{"Http:Auth:Headers:X":"a","Auth":{"headers":{"Y":"b"}}}""", """{"Http:Auth:Headers:X":"***","Auth":{"headers":"***"}}""")]
    [InlineData("\"text\"", "\"text\"")]
    public void SecretsAreHidden_AndNothingElse(string sent, string kept) => Assert.Equal(kept, Of(sent).GetRawText());

    [Theory]
    [InlineData("""{"payload":"LONG","password":"p"}""")]
    [InlineData("""{"password":"p","list":["LONG"]}""")]
    [InlineData("LONG")]
    public void BeginningIsKept_WhenItIsLong(string sent)
    {
        foreach (var letter in new[] { "x", "ü", "😀", "\\u0001" })
        {
            var json = sent.Replace("LONG", string.Concat(Enumerable.Repeat(letter, 3000)), StringComparison.Ordinal);
            var kept = Of(json.StartsWith('{') ? json : $"\"{json}\"");
            if (letter == "x" && kept.ValueKind == JsonValueKind.Object) continue; // 3,000 bytes have place
            Assert.True(kept.ValueKind == JsonValueKind.String && kept.GetString()!.Length <= Redaction.MaxBytes + 1, kept.GetRawText());
            Assert.DoesNotContain("\"p\"", kept.GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ManyMembersAreCutOff()
    {
        var kept = Of($"{{{string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"m{i}\":{i}"))}}}");
        Assert.StartsWith("{\"m0\":0,\"m1\":1,", kept.GetString(), StringComparison.Ordinal);
        Assert.InRange(kept.GetString()!.Length, Redaction.MaxBytes / 2, Redaction.MaxBytes + 1);
    }

    private static JsonElement Of(string json) => Redaction.Of(JsonDocument.Parse(json).RootElement);
}
