using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Security.Sources;
using Broker.Gateway.Security.Sources.Ldap;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Sources;

/// <summary>The small texts of sources: lists of names and values, places, keys of caches, passwords of directories.</summary>
public class SourceTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("username=%u", "username=<u>")]
    [InlineData(" a = %u , b=two words,,c=", "a=<u>;b=two words;c=")]
    [InlineData("a=b=c", "a=b=c")]
    [InlineData("a=%c", "a=")] // it has none
    public void NamesGetTheirValues(string text, string filled)
    {
        var values = NamedValues.Parse(text, "uc");
        Assert.Equal(filled, string.Join(';', values.Fill(letter => letter == 'u' ? "<u>" : null).Select(one => $"{one.Name}={one.Value}")));
    }

    [Theory]
    [InlineData("username")]
    [InlineData("=x")]
    [InlineData("a=%x")]
    [InlineData("a=%")]
    [InlineData("a=%u%c")]
    [InlineData("a=x%u")]
    public void ListIsRefused_WhenItIsNone(string text)
    {
        Assert.False(NamedValues.TryParse(text, "uc", out _, out var fault));
        Assert.NotEmpty(fault);
    }

    [Fact]
    public void KeysDiffer_WhenValuesDo()
    {
        string?[][] all = [[], [null], [""], ["", ""], [null, null], ["-"], ["a", "b"], ["ab"], ["a", null, "b"], ["1:a"], ["a1:b"], ["b", "a"]];
        Assert.Equal(all.Length, all.Select(CacheKey.Of).Distinct().Count());
        Assert.Equal(CacheKey.Of("a", null), CacheKey.Of("a", null));
    }

    [Theory]
    [InlineData("db", "db", 7)]
    [InlineData("db:1", "db", 1)]
    [InlineData("10.0.0.1:65535", "10.0.0.1", 65535)]
    [InlineData("::1", "::1", 7)]
    [InlineData("[::1]", "::1", 7)]
    [InlineData("[::1]:5", "::1", 5)]
    public void PlaceIsRead(string text, string host, int port) => Assert.Equal((host, port), HostPort.Parse(text, 7));

    [Theory]
    [InlineData("db:")]
    [InlineData(":1")]
    [InlineData("db:0")]
    [InlineData("db:65536")]
    [InlineData("db:-1")]
    [InlineData("[::1]:x")]
    public void PlaceIsRefused_WhenItsPortIsNone(string text) => Assert.Throws<FormatException>(() => HostPort.Parse(text, 7));

    [Theory]
    [InlineData("public")]
    [InlineData("{SHA256}*")] // of the password
    [InlineData("{sha}YWRmYg==", false)] // too short
    [InlineData("{CRYPT}x", false)]
    [InlineData("{SSHA}!!!", false)]
    [InlineData("{SSHA", false)]
    [InlineData("", false)]
    public void PasswordIsCompared_AsItsSchemeSays(string stored, bool isRight = true)
    {
        var text = stored.Replace("*", Convert.ToBase64String(SHA256.HashData("public"u8)), StringComparison.Ordinal);
        Assert.Equal(isRight, LdapPassword.Verify(Encoding.UTF8.GetBytes(text), "public"u8));
        Assert.False(LdapPassword.Verify(Encoding.UTF8.GetBytes(text), "Public"u8));
    }

    [Theory]
    [InlineData("SMD5", "MD5")]
    [InlineData("SSHA", "SHA1")]
    [InlineData("ssha256", "SHA256")]
    [InlineData("SSHA384", "SHA384")]
    [InlineData("SSHA512", "SHA512")]
    public void SaltFollowsTheDigest(string scheme, string algorithm)
    {
        byte[] salted = [.. "public"u8, 1, 2, 3, 4];
        var digest = CryptographicOperations.HashData(new HashAlgorithmName(algorithm), salted);
        var stored = $"{{{scheme}}}{Convert.ToBase64String([.. digest, 1, 2, 3, 4])}";
        Assert.True(LdapPassword.Verify(Encoding.UTF8.GetBytes(stored), "public"u8));
        Assert.True(LdapPassword.Verify(Encoding.UTF8.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(stored))), "public"u8)); // encoded once more
        Assert.False(LdapPassword.Verify(Encoding.UTF8.GetBytes(stored), "Public"u8));
        Assert.False(LdapPassword.Verify(Encoding.UTF8.GetBytes($"{{{scheme[1..]}}}{Convert.ToBase64String([.. digest, 1, 2, 3, 4])}"), "public"u8)); // no salt is said to be there
    }
}
