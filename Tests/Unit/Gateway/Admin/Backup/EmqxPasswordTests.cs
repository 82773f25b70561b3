using System.Text;
using System.Text.Json;
using Broker.Gateway.Admin.Backup;
using Broker.Gateway.Security.Passwords;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Admin.Backup;

public class EmqxPasswordTests
{
    /// <summary>Of `public`, with the salt 01 02 03 04 and without.</summary>
    private const string Salted = "AQIDBDU0Mzc0NzllY2UyZTcyZTY4ZmFhMTM0NjY0ZjdhNDc3OTRjMmU1ZDA0YWM3MDA1MDdiNGNjZTRkMmIwZjE3ZGU=";
    private const string Sha256 = "efa1f375d76194fa51a3556a97e641e61685f914d446979da50a551a4333ffd7";

    [Theory]
    [InlineData(Sha256, "sha256", false)]
    [InlineData("4c9184f37cff01bcdc32dc486ec36961", "md5", false)]
    [InlineData("NGM5MTg0ZjM3Y2ZmMDFiY2RjMzJkYzQ4NmVjMzY5NjE=", "md5", false)]
    [InlineData("BQYHCAUGBwhwdWJsaWM=", "plain", false)]
    [InlineData("cHVibGlj", "plain", false)]
    [InlineData("public", "plain", true)]
    public async Task FormIsRead(string text, string method, bool isRaw)
    {
        var (read, hash, salt) = EmqxPassword.Read(text, isRaw)!.Value;
        Assert.Equal(method, read);
        Assert.True(await PasswordHash.Parse(read).VerifyAsync("public"u8.ToArray(), hash, salt));
    }

    [Theory]
    [InlineData("md5")]
    [InlineData("sha")]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task SaltedFormIsRead_AndWrittenAgain(string name)
    {
        byte[] salt = [0, 255, 16, 128];
        var hashed = Digest.Find(name)!.Compute(salt, "public"u8);
        var text = Convert.ToBase64String([.. salt, .. Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hashed))]);
        var (method, hash, kept) = EmqxPassword.Read(text, isRaw: false)!.Value;
        Assert.True(await PasswordHash.Parse(method).VerifyAsync("public"u8.ToArray(), hash, kept));
        Assert.False(await PasswordHash.Parse(method).VerifyAsync("Public"u8.ToArray(), hash, kept));
        Assert.Equal(text, Write(method, hash, kept, isBinary: false));

        if (name == "sha512") return; // dashboard users never had it
        var binary = Convert.ToBase64String([.. salt, .. hashed]);
        var (binaryMethod, binaryHash, binarySalt) = EmqxPassword.ReadBinary(binary)!.Value;
        Assert.Equal((true, false), (EmqxPassword.Matches(binaryMethod, binaryHash, binarySalt, "public"), EmqxPassword.Matches(binaryMethod, binaryHash, binarySalt, "other")));
        Assert.Equal(binary, Write(binaryMethod, binaryHash, binarySalt, isBinary: true));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("?", false)]
    [InlineData("/////w==", false)]
    [InlineData("", true)]
    public void NothingIsRead_WhenItIsNoPassword(string text, bool isRaw) => Assert.Null(EmqxPassword.Read(text, isRaw));

    [Theory]
    [InlineData("")]
    [InlineData("AAAA")]
    [InlineData(Salted)]
    public void NothingIsRead_WhenItIsNoDashboardUsers(string text) => Assert.Null(EmqxPassword.ReadBinary(text));

    [Theory]
    [InlineData("salt,sha256", Sha256, "0123456789abcdef")]
    [InlineData("plain", "public", null)]
    [InlineData("bcrypt", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", null)]
    [InlineData("hexsalt,sha256", Sha256, "0102030405060708")]
    [InlineData(null, Sha256, "01020304")]
    public void NothingIsWritten_WhenEmqxCouldNotCheckIt(string? method, string hash, string? salt) => Assert.Null(Write(method, hash, salt, isBinary: false));

    private static string? Write(string? method, string hash, string? salt, bool isBinary)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            EmqxPassword.Write(json, method, hash, salt, isBinary);
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.ToArray());
        return document.RootElement.TryGetProperty("password", out var password) ? password.GetString() : null;
    }
}
