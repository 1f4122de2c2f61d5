import { IsEmail, IsNotEmpty, IsString } from 'class-validator';

/** Body of POST /signup. */
export class SignupDto {
  @IsEmail()
  readonly email!: string;

  @IsString()
  @IsNotEmpty()
  readonly name!: string;
}
