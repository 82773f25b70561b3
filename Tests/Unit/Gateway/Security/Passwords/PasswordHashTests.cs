using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Security.Passwords;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Passwords;

public class PasswordHashTests
{
    private const string PublicSha256 = "efa1f375d76194fa51a3556a97e641e61685f914d446979da50a551a4333ffd7";

    [Theory]
    [InlineData("plain", "secret", "secret", null)]
    [InlineData("md5", "password", "5f4dcc3b5aa765d61d8327deb882cf99", null)]
    [InlineData("sha", "password", "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", null)]
    [InlineData("sha256", "public", PublicSha256, null)]
    [InlineData("SHA256", "public", PublicSha256, null)]
    [InlineData("salt,sha256", "lic", PublicSha256, "pub")]
    [InlineData("sha256,salt", "pub", PublicSha256, "lic")]
    [InlineData("sha256, salt", "pub", PublicSha256, "lic")]
    [InlineData("hexsalt,sha256", "lic", PublicSha256, "707562")]
    // OpenBSD's and jBCrypt's vectors.
    [InlineData("bcrypt", "", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.", null)]
    [InlineData("bcrypt", "abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", null)]
    [InlineData("bcrypt,salt", "a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO")]
    [InlineData("salt,bcrypt", "a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO")]
    // RFC 6070 and its like for SHA-256.
    [InlineData("pbkdf2,sha,1,20", "password", "0c60c80f961f0e71f3a9b524af6012062fe037a6", "salt")]
    [InlineData("pbkdf2,sha,4096,20", "password", "4b007901b765489abead49d926f721d065a429c1", "salt")]
    [InlineData("pbkdf2,sha256,4096,32", "password", "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a", "salt")]
    public async Task StoredFormIsThePasswords_AndNoOthers(string specification, string password, string stored, string? salt)
    {
        var hash = Parse(specification);
        Assert.Equal(salt is not null, hash.NeedsSalt);
        Assert.True(await hash.VerifyAsync(Bytes(password), stored, salt));
        Assert.False(await hash.VerifyAsync(Bytes(password + "x"), stored, salt));
        Assert.False(await hash.VerifyAsync(Bytes(password), stored + "0", salt));
        Assert.False(await hash.VerifyAsync(Bytes(password), stored[..^1], salt));
        if (salt is null) return;
        Assert.False(await hash.VerifyAsync(Bytes(password), stored, null));
        Assert.False(await hash.VerifyAsync(Bytes(password), stored, salt[..^1]));
    }

    [Theory]
    [InlineData("sha512")]
    [InlineData("salt,md5")]
    [InlineData("hexsalt,sha512")]
    [InlineData("sha,salt")]
    [InlineData("plain")]
    [InlineData("bcrypt")]
    [InlineData("salt,bcrypt")]
    [InlineData("pbkdf2,md4,10,16")]
    [InlineData("pbkdf2,md5,10,16")]
    [InlineData("pbkdf2,ripemd160,10,20")]
    [InlineData("pbkdf2,sha224,10,28")]
    [InlineData("pbkdf2,sha384,10,48")]
    [InlineData("pbkdf2,sha512,10,100")]
    public async Task WhatIsMadeIsVerified_AndDiffersEachTimeIfSalted(string specification)
    {
        var hash = Parse(specification);
        var (stored, salt) = hash.Make(Bytes("pässword"));
        Assert.Equal(hash.NeedsSalt, salt is not null);
        Assert.True(await hash.VerifyAsync(Bytes("pässword"), stored, salt));
        Assert.False(await hash.VerifyAsync(Bytes("password"), stored, salt));
        Assert.Equal(hash.NeedsSalt || specification == "bcrypt", hash.Make(Bytes("pässword")).Hash != stored);
    }

    [Theory]
    [InlineData("sha", 20)]
    [InlineData("sha256", 32)]
    [InlineData("sha384", 40)]
    [InlineData("sha512", 64)]
    public async Task DerivedKeyIsTheFrameworks(string digest, int length)
    {
        var name = new HashAlgorithmName(digest == "sha" ? "SHA1" : digest.ToUpperInvariant());
        var expected = Rfc2898DeriveBytes.Pbkdf2(Bytes("secret"), Bytes("NaCl"), 777, name, length);
        Assert.True(await Parse(string.Create(CultureInfo.InvariantCulture, $"pbkdf2,{digest},777,{length}")).VerifyAsync(Bytes("secret"), Convert.ToHexString(expected), "NaCl"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("rot13")]
    [InlineData("md4")]
    [InlineData("salt")]
    [InlineData("salt,plain")]
    [InlineData("salt,sha256,salt")]
    [InlineData("pbkdf2")]
    [InlineData("pbkdf2,sha256")]
    [InlineData("pbkdf2,sha256,0,20")]
    [InlineData("pbkdf2,sha256,-1,20")]
    [InlineData("pbkdf2,sha256,1000,0")]
    [InlineData("pbkdf2,sha256,1000,5000")]
    [InlineData("pbkdf2,rot13,1000,20")]
    public void SpecificationIsRefused(string? specification) => Assert.False(PasswordHash.TryParse(specification, out _));

    [Theory]
    [InlineData("sha256", "")]
    [InlineData("sha256", "zz")]
    [InlineData("sha256", "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé")]
    [InlineData("bcrypt", "")]
    [InlineData("bcrypt", "$2a$99$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i")]
    [InlineData("bcrypt", "$9z$06$!!6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i")]
    [InlineData("bcrypt", "not a hash of any kind, but long enough to be one by its length")]
    [InlineData("salt,bcrypt", "x")]
    [InlineData("pbkdf2,sha256,10,20", "x")]
    public async Task DamagedStoredFormIsNobodysPassword(string specification, string stored) =>
        Assert.False(await Parse(specification).VerifyAsync(Bytes("secret"), stored, "salt"));

    [Theory]
    [InlineData("bcrypt")]
    [InlineData("plain")]
    [InlineData("sha256")]
    public async Task PasswordThatIsNoTextIsCompared(string specification)
    {
        var hash = Parse(specification);
        Assert.False(await hash.VerifyAsync(new byte[] { 0xFF, 0xFE, 0 }, hash.Make(Bytes("secret")).Hash, null));
    }

    private static PasswordHash Parse(string specification)
    {
        Assert.True(PasswordHash.TryParse(specification, out var hash));
        return hash;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
