using System.Text;
using Broker.Gateway.Security.Scram;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Unit.Gateway.Security.Rules;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Scram;

/// <summary>The exchanges that RFC 5802 (section 5) and RFC 7677 (section 3) print.</summary>
public class ScramExchangeTests
{
    private const string Sha1First = "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL";
    private const string Sha1Final = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";

    [Theory]
    [InlineData(
        "SCRAM-SHA-1", "QSXCR+Q6sek8bf92", "3rfcNHYJY1ZVvWVs7j", Sha1First, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", Sha1Final,
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")]
    [InlineData(
        "SCRAM-SHA-256", "W22ZaJ0SNY7soEsUEjb6gQ==", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")]
    public async Task PrintedExchangeSucceeds(string mechanism, string salt, string nonce, string first, string challenge, string final, string signature)
    {
        var exchange = Begin(mechanism, salt, nonce);
        var asked = await exchange.NextAsync(Encoding.UTF8.GetBytes(first));
        Assert.Equal((ReasonCode.ContinueAuthentication, challenge), (asked.Code, Encoding.UTF8.GetString(asked.Data!)));
        var end = await exchange.NextAsync(Encoding.UTF8.GetBytes(final));
        Assert.Equal((ReasonCode.Success, signature, "user"), (end.Code, Encoding.UTF8.GetString(end.Data!), end.UserName));
    }

    [Theory]
    [InlineData(Sha1First, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v1X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "wrong password")]
    [InlineData(Sha1First, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7k,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "the nonce is not the exchange's")]
    [InlineData(Sha1First, "c=eSws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "the last message's channel binding is not the first one's")]
    [InlineData(Sha1First, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8", "the proof is none")]
    [InlineData(Sha1First, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=!", "the proof is none")]
    [InlineData(Sha1First, "c=biws", "the last message is not SCRAM's")]
    [InlineData(Sha1First, "", "authentication data is missing or too long")]
    [InlineData("n,,n=nobody,r=fyko+d2lbbFgONRv9qkxdawL", "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "the user has no credentials for this method")]
    [InlineData("p=tls-unique,,n=user,r=x", null, "channel binding is not supported")]
    [InlineData("n,a=other,n=user,r=x", null, "acting for another user is not supported")]
    [InlineData("n,,m=x,n=user,r=x", null, "an extension that is not known is demanded")]
    [InlineData("n,,n=us=2er,r=x", null, "the first message is not SCRAM's")]
    [InlineData("n,,n=,r=x", null, "the first message is not SCRAM's")]
    [InlineData("n,,n=user,r=", null, "the first message is not SCRAM's")]
    [InlineData("\0", null, "the first message is not SCRAM's")]
    public async Task ExchangeIsRefused(string first, string? final, string reason)
    {
        var exchange = Begin("SCRAM-SHA-1", "QSXCR+Q6sek8bf92", "3rfcNHYJY1ZVvWVs7j");
        var step = await exchange.NextAsync(Encoding.UTF8.GetBytes(first));
        if (final is not null)
        {
            Assert.Equal(ReasonCode.ContinueAuthentication, step.Code);
            step = await exchange.NextAsync(Encoding.UTF8.GetBytes(final));
        }

        Assert.Equal((ReasonCode.NotAuthorized, reason), (step.Code, step.Reason));
    }

    [Fact]
    public async Task UnknownUserIsAskedTheSameTwice()
    {
        var first = await Begin("SCRAM-SHA-256", "QSXCR+Q6sek8bf92", "n").NextAsync("n,,n=nobody,r=x"u8.ToArray());
        var second = await Begin("SCRAM-SHA-256", "QSXCR+Q6sek8bf92", "n").NextAsync("n,,n=nobody,r=x"u8.ToArray());
        Assert.Equal(first.Data, second.Data);
    }

    [Fact]
    public async Task ExchangeIsOfTheConnectionsUser()
    {
        var step = await Begin("SCRAM-SHA-1", "QSXCR+Q6sek8bf92", "n", connectedAs: "other").NextAsync(Encoding.UTF8.GetBytes(Sha1First));
        Assert.Equal(ReasonCode.NotAuthorized, step.Code);
    }

    private static ScramExchange Begin(string mechanism, string salt, string nonce, string? connectedAs = null)
    {
        var found = ScramMechanism.Find(mechanism)!;
        var store = new OneUser(mechanism, ScramCredentials.Make(found, "pencil", salt: Convert.FromBase64String(salt)));
        return new ScramExchange(found, store, Clients.Of(user: connectedAs), () => nonce);
    }

    private sealed class OneUser(string known, ScramCredentials credentials) : IScramStore
    {
        public ValueTask<ScramCredentials?> FindAsync(string mechanism, string userName) =>
            ValueTask.FromResult(mechanism == known && userName == "user" ? credentials : null);
    }
}
