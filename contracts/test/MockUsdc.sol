// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// USDC as far as the vault can tell: six decimals, a blacklist, EIP-2612 and EIP-3009.
contract MockUsdc is ERC20, ERC20Permit {
    bytes32 public constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    mapping(address account => bool) public blacklisted;
    mapping(address from => mapping(bytes32 nonce => bool)) public used;

    error Blacklisted(address account);
    error BadAuthorization();

    constructor() ERC20("USD Coin", "USDC") ERC20Permit("USD Coin") {}

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function blacklist(address account, bool listed) external {
        blacklisted[account] = listed;
    }

    function receiveDigest(
        address from,
        address to,
        uint256 value,
        uint256 after_,
        uint256 before,
        bytes32 nonce
    ) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(abi.encode(RECEIVE_TYPEHASH, from, to, value, after_, before, nonce))
        );
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (msg.sender != to || used[from][nonce]) revert BadAuthorization();
        if (block.timestamp <= validAfter || block.timestamp >= validBefore) revert BadAuthorization();
        bytes32 digest = receiveDigest(from, to, value, validAfter, validBefore, nonce);
        if (ECDSA.recover(digest, v, r, s) != from) revert BadAuthorization();
        used[from][nonce] = true;
        _transfer(from, to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (blacklisted[from]) revert Blacklisted(from);
        if (blacklisted[to]) revert Blacklisted(to);
        super._update(from, to, value);
    }
}
